"""Natural text for the searches: sentences of Python's own language reference, which comes with every Python (pydoc_data.topics), and questions as people
ask them of it. Words are as rare and as common as in real prose, which is what a search's cost hangs on; the 24 words of routes.text_of() are not."""

import functools
import random
import re

import pydoc_data.topics

SENTENCE_CHARACTERS = (40, 400)
PARAGRAPH_SENTENCES = 4
QUESTIONS = (
    "how do I catch an exception and raise another one instead of it?",
    "what is the difference between a list and a tuple?",
    "why is the default value of a parameter evaluated only once?",
    "when is the finally clause of a try statement executed?",
    "how does the with statement close a file when an error occurs?",
    "which methods does a class need so that its instances can be compared and hashed?",
    "what happens when a generator is closed before it is exhausted?",
    "can a nested function change a variable of the function around it?",
    "how are the arguments of a call bound to positional and keyword parameters?",
    "what does the import system do when a module has been imported already?",
    "where are the annotations of a function stored and when are they evaluated?",
    "how can a descriptor control what reading an attribute returns?",
    "which operators bind more tightly than a comparison?",
    "what is the order in which base classes are searched for a method?",
    "how is a string formatted with a width and a precision?",
    "why does integer division of negative numbers round towards minus infinity?",
    "how do I step through a program in the debugger and show the value of a variable?",
    "what does a slice with a negative step select from a sequence?",
    "is the order of the items of a dictionary kept?",
    "when does an asynchronous function give up control to the event loop?",
    "how are bytes and text literals written in source code and which escapes are there?",
    "what makes a name local to a block, and what if it is used before it is bound?",
    "how can a class customise the creation of its subclasses?",
    "which patterns may stand behind case in a match statement?",
)


@functools.cache
def sentences() -> tuple[str, ...]:
    plain = (re.sub(r"[*`|]+|\s+", " ", text) for text in pydoc_data.topics.topics.values())
    found = (sentence.strip() for text in plain for sentence in re.split(r"(?<=[.?!])\s+(?=[A-Z])", text))
    least, most = SENTENCE_CHARACTERS
    return tuple(sorted({re.sub(r"\s+", " ", sentence) for sentence in found if least <= len(sentence) <= most}))


def document(characters: int, seed: int) -> str:
    """About so many characters, in paragraphs; the same for the same seed."""
    chance, words, length = random.Random(seed), [], 0
    while length < characters:
        sentence = chance.choice(sentences())
        words.append(sentence)
        length += len(sentence) + 1
    return "\n\n".join(" ".join(words[at:at + PARAGRAPH_SENTENCES]) for at in range(0, len(words), PARAGRAPH_SENTENCES))
