"""Natural text stays natural: the cost of a search hangs on how rare and how common its words are."""

import re
from collections import Counter

import prose


def test_the_same_seed_gives_the_same_text_and_another_one_another():
    assert prose.document(2000, 7) == prose.document(2000, 7)
    assert prose.document(2000, 7) != prose.document(2000, 8)
    assert 2000 <= len(prose.document(2000, 7)) < 2500


def test_some_words_stand_in_most_passages_and_most_words_in_few():
    passages = [set(re.findall(r"\w+", prose.document(1000, seed).lower())) for seed in range(300)]
    found = Counter(word for passage in passages for word in passage)
    assert sum(count > 250 for count in found.values()) >= 5
    assert sum(count < 15 for count in found.values()) > len(found) / 2


def test_questions_have_words_that_the_text_has():
    words = set(re.findall(r"\w+", " ".join(prose.sentences()).lower()))
    for question in prose.QUESTIONS:
        asked = re.findall(r"\w+", question.lower())
        assert sum(word in words for word in asked) >= len(asked) / 2, question
