"""Things to say: a small grammar with millions of different everyday sentences, chosen by seed."""

from __future__ import annotations

import string
import zlib

import numpy as np

_WORDS: dict[str, tuple[str, ...]] = {
    "who": (
        "my brother", "the old captain", "our teacher", "a young doctor", "the whole village",
        "your neighbor", "Maria", "the baker", "a famous painter", "Professor Brown", "the bus driver",
        "everybody", "my best friend", "the new manager", "a small company", "Thomas", "the weather man",
        "grandmother", "the football team", "a clever engineer", "the queen", "somebody",
        "the boy with the blue bag", "Victoria",
    ),
    "did": (
        "bought", "found", "painted", "repaired", "forgot", "carried", "described", "wanted", "borrowed",
        "opened", "measured", "discovered", "promised", "photographed", "moved", "hid", "sold", "welcomed",
        "imagined", "built",
    ),
    "thing": (
        "a purple umbrella", "the broken window", "two hundred apples", "a map of the mountains",
        "the last ticket", "a very big piano", "some warm bread", "an empty bottle", "the morning paper",
        "a silver looks", "the biggest pumpkin", "four yellow boats", "a wonderful story",
        "my favourite book", "a bowl of soup", "the key to the museum", "an enormous cake",
        "a better method", "the problem", "a pair of gloves",
    ),
    "when": (
        "yesterday", "on Monday morning", "before breakfast", "last summer", "at half past five",
        "in the evening", "many years ago", "during the storm", "every single day", "just after midnight",
        "in the middle of May", "for the first time", "a moment ago", "this afternoon", "on the way home",
        "by accident",
    ),
    "where": (
        "in the garden", "near the river", "at the station", "behind the church", "on top of the hill",
        "in a little cafe", "under the bridge", "at the market", "by the open fire", "across the road",
        "in Paris", "outside the theatre", "on the beach", "between the houses", "at my office",
        "in the forest",
    ),
    "how": (
        "beautiful", "complicated", "remarkable", "simple", "expensive", "important", "funny", "terrible",
        "peaceful", "amazing", "dangerous", "popular", "comfortable", "impossible", "obvious", "perfect",
        "very useful", "old",
    ),
    "topic": (
        "the weather", "modern music", "this machine", "the history of Rome", "a good cup of coffee",
        "public transport", "your idea", "the human voice", "mathematics", "the price of bread",
        "my first job", "space travel", "the ocean", "learning a language", "the moon",
        "a healthy breakfast", "our plan", "the family business",
    ),
    "verb": (
        "talk about", "think about", "explain", "begin with", "look at", "worry about", "remember",
        "improve", "come back to", "compare", "understand", "laugh about", "learn from", "speak of",
        "be proud of", "visit",
    ),
    "opener": (
        "well", "now", "you know", "of course", "however", "in fact", "after all", "to be honest",
        "on the other hand", "believe me", "first of all", "by the way", "all right", "finally",
        "as you can see", "strangely enough",
    ),
    "think": (
        "I believe", "I am sure", "we all know", "they told me", "nobody thought", "it is possible",
        "I hope", "she said", "people often say", "he pretended", "I suppose", "let us imagine",
    ),
    "why": (
        "because it was raining", "although nobody asked", "and that made all the difference",
        "so we had to wait", "but it was too late", "because I love it", "and then it was gone",
        "which is a pity", "if you agree", "until the music stopped", "while the others were asleep",
        "and I will never forget it",
    ),
    "number": (
        "three", "seven", "twelve", "twenty five", "forty", "a hundred and one", "nine thousand", "sixteen",
    ),
    "noun": (
        "people", "bananas", "miles", "images", "windows", "problems", "birds", "answers", "dollars",
        "books", "elephants", "minutes", "paper boats", "men and women", "good reasons", "tomatoes",
        "questions", "horses",
    ),
    "greeting": (
        "hello everybody", "good morning", "welcome back", "good evening ladies and gentlemen", "hi there",
        "thank you very much", "oh my goodness", "wow", "wait a moment", "come in please",
    ),
}  # fmt: skip

_PATTERNS = (
    "{who} {did} {thing} {where}.",
    "{when}, {who} {did} {thing} {where}.",
    "{who} {did} {thing} {when}, {why}.",
    "{opener}, {topic} is {how}.",
    "{opener}, {think} that {who} {did} {thing}.",
    "{think} that {topic} is more {how} than {topic}.",
    "today I want to {verb} {topic}, {why}.",
    "let me {verb} {topic}.",
    "why should we {verb} {topic}?",
    "do you remember {thing} {where}?",
    "{greeting}, today we {verb} {topic}.",
    "{greeting}! {topic} is so {how}.",
    "there were {number} {noun} {where}, {why}.",
    "{number} {noun}, {number} {noun}, and {thing}.",
    "{when} I saw {number} {noun} {where}.",
    "{topic} is not {how}, it is {how}.",
    "can you {verb} {topic}, or {verb} {topic}?",
    "{think} that we have to {verb} {topic} {when}.",
    "what a {how} day! {who} {did} {number} {noun}.",
    "{who} and {who} {did} {thing}.",
    "if {who} {did} {thing}, {think} it was {how}.",
    "never {verb} {topic} {when}!",
)


def sentence(seed: int, *, held_out: bool = False) -> str:
    """One or two short sentences of 3 to 20 words together; equal seeds say the same.

    Every tenth text (by checksum) is a `held_out` one, which no training clip ever says.
    """
    rng = np.random.default_rng([0x5E47, seed])
    while True:
        text = _compose(rng)
        if (zlib.crc32(text.encode()) % 10 == 0) == held_out:
            return text


def paragraph(seed: int, sentences: int, *, held_out: bool = False) -> str:
    """Several sentences, spoken with pauses between them."""
    rng = np.random.default_rng([0x5E48, seed])
    return " ".join(sentence(int(rng.integers(2**31)), held_out=held_out) for _ in range(sentences))


def _compose(rng: np.random.Generator) -> str:
    pattern = _PATTERNS[rng.integers(len(_PATTERNS))]
    spoken = []
    for text, name, _, _ in string.Formatter().parse(pattern):
        spoken.append(text)
        if name:
            spoken.append(_WORDS[name][rng.integers(len(_WORDS[name]))])
    words = "".join(spoken)
    return words[0].upper() + words[1:]
