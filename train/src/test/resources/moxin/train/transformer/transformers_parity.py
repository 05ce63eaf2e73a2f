"""What Hugging Face transformers and PEFT make of a model and an adapter that Moxin wrote.

    python transformers_parity.py MODEL ADAPTER REQUEST OUT

REQUEST is JSON: ids and targets, (B, T), -100 where nothing is predicted; prompt and newTokens. Into
OUT go answer.json and an adapter saved by PEFT. Everything is fp32.
"""

import json
import os
import sys

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

model_path, adapter_path, request_path, out = sys.argv[1:]
with open(request_path) as file:
    request = json.load(file)
ids = torch.tensor(request["ids"])
targets = torch.tensor(request["targets"])
torch.manual_seed(1)


def load():
    model = AutoModelForCausalLM.from_pretrained(model_path, dtype=torch.float32)
    return model.eval()


def loss(model):
    logits = model(ids).logits
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


def logits(model):
    with torch.no_grad():
        return model(ids).logits.flatten().tolist()


def greedy(model):
    sequence = torch.tensor([request["prompt"]])
    with torch.no_grad():
        for _ in range(request["newTokens"]):
            following = model(sequence).logits[0, -1].argmax()
            sequence = torch.cat([sequence, following.view(1, 1)], dim=1)
    return sequence[0, len(request["prompt"]) :].tolist()


plain = load()
step = loss(plain)
step.backward()
norm = torch.sqrt(sum((p.grad.double() ** 2).sum() for p in plain.parameters()))
answer = {
    "class": type(plain).__name__,
    "slidingWindow": plain.config.sliding_window,
    "logits": logits(plain),
    "greedy": greedy(plain),
    "loss": step.item(),
    "gradNorm": norm.item(),
}

adapted = PeftModel.from_pretrained(load(), adapter_path)
answer["adaptedLogits"] = logits(adapted)
with torch.no_grad():
    answer["adaptedLoss"] = loss(adapted).item()

settings = LoraConfig(
    r=3, lora_alpha=7, target_modules=["q_proj", "v_proj", "down_proj"], task_type="CAUSAL_LM"
)
fresh = get_peft_model(load(), settings).eval()
with torch.no_grad():
    for name, parameter in fresh.named_parameters():
        if "lora_" in name:
            parameter.normal_(0, 0.2)
    answer["savedLoss"] = loss(fresh).item()
fresh.save_pretrained(os.path.join(out, "saved"))

with open(os.path.join(out, "answer.json"), "w") as file:
    json.dump(answer, file)
