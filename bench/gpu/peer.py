"""The same model in PyTorch: whole training steps of a Mistral-style decoder on random tokens.

Compiled with torch.compile, bf16 weights and activations, fp32 sums, fused AdamW, every block
recomputed in the backward pass where the shape asks for it. Prints tokens/s and MFU by the same
count of operations as `moxin bench train`.
"""

import argparse
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.checkpoint import checkpoint

SHAPES = {
    # vocabulary, width, FFN, layers, heads, KV heads, head dim, rows, tokens, recompute
    "reference": (8192, 512, 1376, 8, 8, 2, 64, 8, 512, False),
    "moxin_7b": (32000, 4096, 14336, 36, 32, 8, 128, 1, 4096, True),
}


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return F.rms_norm(x, (x.shape[-1],), self.weight, 1e-5)


class Block(nn.Module):
    def __init__(self, width, ffn, heads, kv_heads, depth):
        super().__init__()
        self.heads, self.kv_heads, self.depth = heads, kv_heads, depth
        self.norm_1, self.norm_2 = Norm(width), Norm(width)
        self.qkv = nn.Linear(width, (heads + 2 * kv_heads) * depth, bias=False)
        self.out = nn.Linear(heads * depth, width, bias=False)
        self.gate_up = nn.Linear(width, 2 * ffn, bias=False)
        self.down = nn.Linear(ffn, width, bias=False)

    def forward(self, x, cos, sin):
        rows, length, _ = x.shape
        sizes = [n * self.depth for n in (self.heads, self.kv_heads, self.kv_heads)]
        q, k, v = (
            part.view(rows, length, -1, self.depth).transpose(1, 2)
            for part in self.qkv(self.norm_1(x)).split(sizes, -1)
        )
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(rows, length, -1))
        gate, up = self.gate_up(self.norm_2(x)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)


def rotate(x, cos, sin):
    low, high = x.chunk(2, -1)
    return torch.cat((low * cos - high * sin, high * cos + low * sin), -1).to(x.dtype)


class Decoder(nn.Module):
    def __init__(self, vocabulary, width, ffn, layers, heads, kv_heads, depth, recompute):
        super().__init__()
        self.recompute = recompute
        self.embed = nn.Embedding(vocabulary, width)
        self.blocks = nn.ModuleList(
            Block(width, ffn, heads, kv_heads, depth) for _ in range(layers)
        )
        self.norm = Norm(width)
        self.head = nn.Linear(width, vocabulary, bias=False)
        self.depth = depth

    def forward(self, ids, targets):
        positions = torch.arange(ids.shape[1], device=ids.device, dtype=torch.float32)
        powers = torch.arange(0, self.depth, 2, device=ids.device, dtype=torch.float32)
        angles = torch.outer(positions, 10000.0 ** (-powers / self.depth))
        cos, sin = angles.cos(), angles.sin()
        x = self.embed(ids)
        for block in self.blocks:
            if self.recompute:
                x = checkpoint(block, x, cos, sin, use_reentrant=False)
            else:
                x = block(x, cos, sin)
        logits = self.head(self.norm(x))
        return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shape", choices=SHAPES, default="reference")
    parser.add_argument("--layers", type=int, default=36)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--peak", type=float, default=989.0)
    parser.add_argument("--device", default="cuda")
    options = parser.parse_args()
    v, c, ffn, layers, heads, kv_heads, depth, rows, length, recompute = SHAPES[options.shape]
    if options.shape == "moxin_7b":
        layers = options.layers
    torch.manual_seed(1)
    with torch.device(options.device):
        model = Decoder(v, c, ffn, layers, heads, kv_heads, depth, recompute).to(torch.bfloat16)
        ids = torch.randint(v, (rows, length))
        targets = torch.randint(v, (rows, length))
    parameters = sum(p.numel() for p in model.parameters())
    optimizer = torch.optim.AdamW(model.parameters(), 3e-4, (0.9, 0.95), fused=True)
    step_model = torch.compile(model)

    seconds = []
    for step in range(-5, options.steps):
        start = time.perf_counter()
        loss = step_model(ids, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        loss.item()
        if step >= 0:
            seconds.append(time.perf_counter() - start)
    rate = rows * length / statistics.median(seconds)
    visible = (length + 1) / 2
    flops = 6 * (parameters - v * c) + 12 * layers * heads * depth * visible
    print(f"{parameters / 1e6:.2f} M parameters, {rows} rows of {length} tokens, bf16")
    print(f"tokens/s, median step      {rate:10.0f}")
    print(f"model GFLOP/s              {rate * flops / 1e9:10.1f}")
    print(f"MFU                        {100 * rate * flops / (1e12 * options.peak):9.1f} %")
    if options.device == "cuda":
        print(f"GPU memory, most           {torch.cuda.max_memory_allocated() / 2**30:8.1f} GiB")


main()
