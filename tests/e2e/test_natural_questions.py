"""Questions as people ask them: each has words that no passage has. AND would find nothing, LIKE still less."""

import pytest

PASSAGES = {
    "bees": ("Beekeeping in winter", "Honey bees form a cluster around the queen when it is cold and shiver their flight muscles to keep warm."),
    "bread": ("Sourdough", "A starter of flour and water ferments for about a week before it can raise a loaf."),
    "kafka": ("Message brokers", "A consumer group divides the partitions of a topic among its members and commits the offset of what was handled."),
    "bridge": ("Suspension bridges", "The main cables carry the load of the deck to the towers, and anchor blocks at both ends hold the cables."),
    "tides": ("Tides", "The moon pulls at the oceans, and twice a month, when the sun stands in line with it, the spring tides are highest."),
    "heart": ("Circulation", "Valves between the chambers of the heart let blood pass in one direction only."),
    "chess": ("Openings", "In the Sicilian Defence black answers the king's pawn with the c-pawn and fights for the centre from the side."),
    "solar": ("Photovoltaics", "A silicon cell turns sunlight into direct current, and an inverter makes alternating current of it for the grid."),
    "trees": ("Rings of trees", "Each year a trunk grows a light ring in spring and a dark one in late summer, so that its age can be counted."),
    "sleep": ("Sleep", "During the REM phase the eyes move rapidly, the muscles are slack, and most dreams are remembered from it."),
    "paper": ("Papermaking", "Fibres of wood are cooked to pulp, spread on a sieve, pressed and dried between hot cylinders."),
    "glass": ("Glass", "Quartz sand, soda and lime are melted at 1500 degrees and blown or floated on liquid tin."),
    "salt": ("Salt works", "Sea water is let into flat ponds, where sun and wind dry it until crystals can be raked together."),
    "clock": ("Pendulum clocks", "The escapement gives the pendulum a small push at every swing and lets the wheels advance by one tooth."),
    "fog": ("Fog", "When moist air cools below its dew point near the ground, droplets form that hide what is more than a kilometre away."),
    "steel": ("Blast furnaces", "Coke burns in hot air, takes the oxygen from the ore, and molten iron gathers at the bottom."),
    "coffee": ("Espresso", "Nine bars of pressure drive hot water through finely ground coffee within half a minute."),
    "cheese": ("Cheese", "Rennet curdles the milk, the whey is drained, and the wheels ripen in a cellar for months."),
    "aurora": ("Northern lights", "Charged particles of the solar wind make oxygen and nitrogen glow high above the poles."),
    "dikes": ("Dikes", "Clay covers the sand core of a dike so that waves cannot wash it out."),
}

QUESTIONS = [
    ("How on earth do honey bees manage to survive freezing January nights?", "bees"),
    ("What should I expect to wait until my homemade sourdough starter is usable for baking a loaf?", "bread"),
    ("Could somebody explain why Kafka splits partitions between members of one consumer group?", "kafka"),
    ("Which component of a suspension bridge ultimately bears the deck's weight?", "bridge"),
    ("Why are there particularly extreme spring tides whenever sun and moon align?", "tides"),
    ("What prevents blood from flowing backwards inside a human heart?", "heart"),
    ("Is the Sicilian Defence a sensible reply for beginners playing black?", "chess"),
    ("Why does my rooftop photovoltaic installation require an inverter?", "solar"),
    ("How would a scientist figure out how old a felled trunk was by its rings?", "trees"),
    ("In which phase do sleepers typically experience vivid dreams they remember afterwards?", "sleep"),
]


@pytest.fixture(scope="module")
def library(stack):
    from client import Account
    account = Account.open(stack.gateway.url)
    documents = [{"title": title, "content": text} for title, text in PASSAGES.values()]
    items = account.post("/documents/batch", {"documents": documents}).json()["items"]
    account.names = {item["id"]: name for item, name in zip(items, PASSAGES, strict=True)}
    yield account
    account.close()


@pytest.mark.parametrize("question, passage", QUESTIONS, ids=[passage for _, passage in QUESTIONS])
def test_a_natural_question_finds_its_passage(library, question, passage):
    results = library.search(question)
    words = {word.strip("?,.'").lower() for word in question.split()}
    text = " ".join(PASSAGES[passage]).lower()
    assert any(word not in text for word in words)  # or the question would be none of this kind
    assert library.names[results[0]["document_id"]] == passage, [library.names[result["document_id"]] for result in results]
