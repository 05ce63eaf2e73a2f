/// Low-rank adapters (Hu et al. 2021) as files and as arithmetic on weights: y = x·Wᵀ + s·(x·Aᵀ)·Bᵀ
/// with s = alpha / rank, W frozen.
///
/// Begin with [moxin.train.adapter.AdapterSettings]; [moxin.train.adapter.PeftConfig] and
/// [moxin.train.adapter.AdapterFile] read and write the files of Hugging Face's PEFT;
/// [moxin.train.adapter.AdapterMerge] adds an adapter to a model's weights. Knows no libtorch;
/// [moxin.train.transformer] trains adapters.
@NullMarked
package moxin.train.adapter;

import org.jspecify.annotations.NullMarked;
