"""A byte-level BPE in which each " w<n>" of the truth server is one token: clients that count tokens themselves agree with the
server on plain text. Usage: make-tokenizer.py FOLDER"""

import json
import sys
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)

alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
vocabulary = {character: index for index, character in enumerate(alphabet)}
merges: list[tuple[str, str]] = []


def merge(left: str, right: str) -> None:
    if left + right not in vocabulary:
        vocabulary[left + right] = len(vocabulary)
        merges.append((left, right))


space = "\u0120"
merge(space, "w")
for number in range(1000):
    digits = str(number)
    for end in range(1, len(digits) + 1):
        merge(f"{space}w{digits[:end - 1]}", digits[end - 1])
vocabulary["<|end|>"] = len(vocabulary)

tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
# GPT-2's own split would part the letter from its digits.
words = pre_tokenizers.Split(Regex(" ?[^ ]+| "), "isolated")
tokenizer.pre_tokenizer = pre_tokenizers.Sequence([words, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
tokenizer.decoder = decoders.ByteLevel()
tokenizer.save(str(folder / "tokenizer.json"))
template = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
(folder / "tokenizer_config.json").write_text(
    json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|end|>", "pad_token": "<|end|>", "chat_template": template, "model_max_length": 1000000})
)
