"""Makes a tiny Llama with a tokenizer of its own: make-tiny-model.py FOLDER, run by the environment's Python.

Nothing is downloaded. The tokenizer is a byte-level BPE, so every text can be encoded, trained on the language manual
that Python carries; the weights are random with a fixed seed, so greedy output is the same on every run.
"""

import json
import string
import sys
from pathlib import Path
from pydoc_data.topics import topics

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

SEED = 20240229
VOCABULARY = 4096
HIDDEN = 256
LAYERS = 4
HEADS = 4
KV_HEADS = 2
HEAD = 64
FEED_FORWARD = 768
POSITIONS = 8192

# Their ids are 0, 1 and 2.
END_OF_TEXT, TURN_START, TURN_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' }}"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}{{ part['text'] }}{% endfor %}{% endif %}"
    "{{ '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def tokenizer() -> Tokenizer:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    texts = [text for _, text in sorted(topics.items())] + [" ".join(string.printable)]
    made.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=VOCABULARY,
            special_tokens=[END_OF_TEXT, TURN_START, TURN_END],
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        ),
    )
    return made


def weights() -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(SEED)

    def matrix(rows: int, columns: int, gain: float = 1.0) -> torch.Tensor:
        return torch.randn(rows, columns, generator=random) * (gain / columns**0.5)

    made = {"model.embed_tokens.weight": torch.randn(VOCABULARY, HIDDEN, generator=random)}
    for layer in range(LAYERS):
        at = f"model.layers.{layer}."
        made[at + "input_layernorm.weight"] = torch.ones(HIDDEN)
        made[at + "post_attention_layernorm.weight"] = torch.ones(HIDDEN)
        # Queries, keys and the head are drawn large, or every prompt would continue alike.
        made[at + "self_attn.q_proj.weight"] = matrix(HEADS * HEAD, HIDDEN, 2.0)
        made[at + "self_attn.k_proj.weight"] = matrix(KV_HEADS * HEAD, HIDDEN, 2.0)
        made[at + "self_attn.v_proj.weight"] = matrix(KV_HEADS * HEAD, HIDDEN)
        made[at + "self_attn.o_proj.weight"] = matrix(HIDDEN, HEADS * HEAD, 2.0)
        made[at + "mlp.gate_proj.weight"] = matrix(FEED_FORWARD, HIDDEN)
        made[at + "mlp.up_proj.weight"] = matrix(FEED_FORWARD, HIDDEN)
        made[at + "mlp.down_proj.weight"] = matrix(HIDDEN, FEED_FORWARD, 2.0)
    made["model.norm.weight"] = torch.ones(HIDDEN)
    made["lm_head.weight"] = matrix(VOCABULARY, HIDDEN, 4.0)
    return made


CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": VOCABULARY,
    "hidden_size": HIDDEN,
    "intermediate_size": FEED_FORWARD,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "num_key_value_heads": KV_HEADS,
    "head_dim": HEAD,
    "hidden_act": "silu",
    "max_position_embeddings": POSITIONS,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "attention_bias": False,
    "mlp_bias": False,
    "tie_word_embeddings": False,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "pad_token_id": 0,
    "torch_dtype": "float32",
}

TOKENIZER_CONFIG = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "model_max_length": POSITIONS,
    "eos_token": TURN_END,
    "pad_token": END_OF_TEXT,
    "clean_up_tokenization_spaces": False,
    "chat_template": CHAT_TEMPLATE,
}


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer().save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(TOKENIZER_CONFIG, indent=2))
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=2))
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": 2}))
    save_file(weights(), str(folder / "model.safetensors"), metadata={"format": "pt"})
    print(f"model: {folder}")


if __name__ == "__main__":
    main()
