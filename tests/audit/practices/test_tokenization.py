"""Text becomes ids and back; vocabularies are trained, kept and padded."""

import pytest

from tests.audit.build import decided
from tests.audit.practices.cases import cases

HITS = {
    "tokenizer-encode-decode": {
        "a dictionary turns lines into ids and ids into strings": """
            class Dictionary:
                def encode_line(self, line):
                    return [self.index(w) for w in line.split()]
                def string(self, tensor):
                    return " ".join(self[i] for i in tensor)
        """,
        "a transformers tokenizer in an attribute": """
            from transformers import AutoTokenizer
            class Chat:
                def __init__(self, name):
                    self.codec = AutoTokenizer.from_pretrained(name)
                def reply(self, model, prompt):
                    ids = self.codec(prompt, return_tensors="pt")
                    return self.codec.batch_decode(model.generate(**ids))
        """,
        "an own character tokenizer": """
            class Characters:
                def __init__(self, letters):
                    self.ids = {letter: i for i, letter in enumerate(letters)}
                    self.letters = letters
                def encode(self, text):
                    return [self.ids[letter] for letter in text]
                def decode(self, ids):
                    return "".join(self.letters[i] for i in ids)
        """,
        "sentencepiece": """
            import sentencepiece as spm
            def both(path, text):
                model = spm.SentencePieceProcessor(path)
                return model.decode(model.encode(text))
        """,
    },
    "tokenizer-train": {
        "words are counted": """
            from collections import Counter
            def build_dictionary(filenames):
                d = Counter()
                for f in filenames:
                    for line in open(f):
                        for w in line.split(): d[w] += 1
                return d
        """,
        "a tokenizer class trains its merges": """
            class BasicTokenizer:
                def train(self, text, vocab_size):
                    ids = list(text.encode("utf-8"))
                    merges = {}
                    for i in range(vocab_size - 256):
                        stats = get_stats(ids)
                        pair = max(stats, key=stats.get)
                        ids = merge(ids, pair, 256 + i)
                        merges[pair] = 256 + i
                    self.merges = merges
            def get_stats(ids):
                counts = {}
                for pair in zip(ids, ids[1:]):
                    counts[pair] = counts.get(pair, 0) + 1
                return counts
            def merge(ids, pair, idx): return ids
        """,
        "sentencepiece's trainer": """
            import sentencepiece
            def train(path):
                sentencepiece.SentencePieceTrainer.train(input=path, vocab_size=8000)
        """,
        "a trained copy of a pretrained tokenizer": """
            def retrain(tokenizer, lines):
                return tokenizer.train_new_from_iterator(lines, 8000)
        """,
        "a tokenizers model from files": """
            from tokenizers import ByteLevelBPETokenizer
            def train(files):
                model = ByteLevelBPETokenizer()
                model.train(files, vocab_size=8000)
        """,
    },
    "tokenizer-persist": {
        "a trainer writes its model": """
            import sentencepiece as spm
            def f(): spm.SentencePieceTrainer.train(input="x", model_prefix="m", vocab_size=100)
        """,
        "a dictionary writes lines": """
            class Dictionary:
                def save(self, f):
                    with open(f, "w") as h:
                        for s, c in self.items(): h.write(f"{s} {c}")
        """,
        "an attribute is saved": """
            class Trainer:
                def save(self, folder):
                    self.tokenizer.save_pretrained(folder)
        """,
        "the vocabulary is pickled": """
            import pickle
            def keep(stoi, itos, path):
                with open(path, "wb") as file:
                    pickle.dump({"stoi": stoi, "itos": itos}, file)
        """,
        "the tokenizers library writes json": """
            from tokenizers import Tokenizer
            def copy(source, target):
                Tokenizer.from_file(source).save(target)
        """,
    },
    "tokenizer-special-tokens": {
        "generation stops at the end token": """
            def generate(model, tok, ids):
                nxt = model(ids)
                if nxt == tok.eos_id: return ids
        """,
        "tokens are put around others": """
            class T:
                def encode(self, s, bos, eos):
                    t = self.sp.encode(s)
                    if bos: t = [self.bos_id] + t
                    if eos: t = t + [self.eos_id]
                    return t
        """,
        "an embedding knows the padding": """
            import torch.nn as nn
            class E(nn.Module):
                def __init__(self, dictionary):
                    self.e = nn.Embedding(10, 10, padding_idx=dictionary.pad())
        """,
        "padding is masked in the labels": """
            def loss(logits, labels, tokenizer):
                labels[labels == tokenizer.pad_token_id] = -100
                return labels
        """,
        "the end token is appended": """
            def prepare(tokenizer, text):
                ids = tokenizer.encode(text)
                ids.append(tokenizer.eos_token_id)
                return ids
        """,
        "a pad token is added": """
            def prepare(tokenizer):
                tokenizer.add_special_tokens({"pad_token": "<pad>"})
        """,
        "special tokens are allowed in prompts": """
            import tiktoken
            def ids(text):
                return tiktoken.get_encoding("gpt2").encode(text, allowed_special={"<|endoftext|>"})
        """,
    },
}
MISSES = {
    "tokenizer-encode-decode": {
        "an autoencoder of images": """
            def round_trip(vae, image):
                return vae.decode(vae.encode(image))
        """,
        "bytes and strings": """
            def round_trip(text):
                return text.encode("utf-8").decode("utf-8")
        """,
        "one direction only": """
            def ids(tokenizer, text):
                return tokenizer.encode(text)
        """,
    },
    "tokenizer-train": {
        "the vocabulary is only read": """
            def get_vocab(tokenizer): return tokenizer.get_vocab()
        """,
        "a builder loads": """
            from transformers import AutoTokenizer
            def build_tokenizer(name): return AutoTokenizer.from_pretrained(name)
        """,
        "a module is set to training": """
            def start(tokenizer, model):
                model.train()
                return tokenizer
        """,
        "a pretrained tokenizer": """
            from transformers import AutoTokenizer
            def load(name):
                return AutoTokenizer.from_pretrained(name)
        """,
        "a trainer of models": """
            def run(trainer, rows):
                trainer.train(rows)
        """,
    },
    "tokenizer-persist": {
        "the class only reads": """
            class Tokenizer:
                def load(self, p): return open(p).read()
        """,
        "a model is saved": """
            def save(model, folder):
                model.save_pretrained(folder)
        """,
        "a tokenizer is read": """
            from tokenizers import Tokenizer
            def load(path):
                return Tokenizer.from_file(path)
        """,
        "results are pickled": """
            import pickle
            def keep(rows, file):
                pickle.dump({"rows": rows}, file)
        """,
    },
    "tokenizer-special-tokens": {
        "a convolution pads": """
            import torch.nn as nn
            def f(): return nn.Conv2d(1, 1, 3, padding=1)
        """,
        "modes are called like tokens": """
            def f(mode, pad_mode):
                if mode == "pad": return 1
                total = [1] + [2]
                return total
        """,
        "a class token of a vision model": """
            from torch import nn
            class Net(nn.Module):
                def __init__(self, zeros):
                    self.cls_token = nn.Parameter(zeros)
        """,
        "padding of a convolution": """
            class Conv:
                def __init__(self, size):
                    self.pad = size // 2
        """,
        "only words": """
            # tokenizer.pad_token = tokenizer.eos_token
            HELP = "set the pad_token"
        """,
    },
}


@pytest.mark.parametrize(("practice", "text"), cases(HITS))
def test_is_present(practice: str, text: str) -> None:
    assert decided(practice, text).status == "present"


@pytest.mark.parametrize(("practice", "text"), cases(MISSES))
def test_is_absent(practice: str, text: str) -> None:
    assert decided(practice, text).status == "absent"
