"""/docs in a browser: it reads, every call can be tried from it, nothing comes from outside, and the token stays in the page."""

import json
import os
import secrets

import pytest

from client import PASSWORD
from servers.browser import Browser

pytestmark = pytest.mark.around

_SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


@pytest.fixture(scope="module")
def browser(stack):
    browser = Browser(os.path.join(stack.folder, "browser")).start().open()
    yield browser
    browser.close()


@pytest.fixture
def page(browser, stack):
    """The page, just loaded, at the size of a desktop."""
    browser.resize(*_SIZES["desktop"])
    browser.complaints(), browser.requests()
    browser.go("about:blank")
    browser.go(f"{stack.gateway.url}/docs")
    browser.until("return document.querySelectorAll('.call').length > 0", what="the page lists the calls")
    return browser


def open_call(page, operation):
    if not page.run("return document.getElementById(arguments[0]).open", operation):
        page.click(f"#{operation} > summary")
    page.element(f"#{operation} .go button")


def answer(page, operation):
    """What stands below the form once the call is answered: status, and the body as text."""
    page.until("return document.querySelector(`#${arguments[0]} .answer .chip`) && !document.querySelector(`#${arguments[0]} .go button`).disabled",
               operation, what=f"{operation} is answered")
    status, *body = page.run("""const box = document.querySelector(`#${arguments[0]} .answer`);
        return [box.querySelector('.chip').textContent, ...[...box.querySelectorAll('pre:not(.headers)')].map(pre => pre.textContent)];""", operation)
    return status, "".join(body)


def send(page, operation, body=None):
    open_call(page, operation)
    if body is not None:
        page.write(f"#{operation} textarea", json.dumps(body))
    page.click(f"#{operation} .go button")
    return answer(page, operation)


def log_in(page):
    credentials = {"email": f"docs-{secrets.token_hex(6)}@example.org", "password": PASSWORD}
    assert send(page, "SessionSignUp", credentials)[0] == "201 Created"
    status, body = send(page, "SessionLogIn", credentials)
    assert status == "200 OK"
    return credentials["email"], json.loads(body)["token"]


def test_every_call_of_the_contract_is_there_with_its_fields_and_answers(page, anyone):
    document = anyone.get("/openapi.json").json()
    for path, item in document["paths"].items():
        for call in item.values():
            operation = call["operationId"]
            open_call(page, operation)
            text = page.run("return document.getElementById(arguments[0]).textContent", operation)
            assert path in text and call["summary"] in text
            assert all(status in text for status in call["responses"]), operation
            if "requestBody" in call:
                name = call["requestBody"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1]
                assert all(member in text for member in document["components"]["schemas"][name]["properties"]), operation
    assert page.complaints() == []


def test_a_newcomer_registers_stores_a_document_and_finds_it(page):
    email, _ = log_in(page)
    assert page.run("return document.getElementById('who').textContent") == f"logged in as {email}"
    status, body = send(page, "DocumentsCreate")  # with the body that the page offers
    assert status == "201 Created"
    document = json.loads(body)
    status, body = send(page, "QuerySearch")  # likewise: the contract's examples fit each other
    assert status == "200 OK" and [result["document_id"] for result in json.loads(body)["results"]] == [document["id"]]
    status, body = send(page, "DocumentsGet")  # the id is filled in
    assert status == "200 OK" and json.loads(body)["content"] == document["content"]
    assert send(page, "DocumentsDelete") == ("204 No Content", "")
    assert send(page, "DocumentsGet")[0] == "404 Not Found"
    assert page.complaints() == []


def test_refusals_are_shown_as_they_are(page):
    status, body = send(page, "SessionMe")
    assert status == "401 Unauthorized" and json.loads(body)["status"] == 401
    log_in(page)
    status, body = send(page, "DocumentsCreate", {"title": "", "content": "x", "colour": "red"})
    assert status == "422 Unprocessable Content" or status == "422 Unprocessable Entity"
    assert {fault["field"] for fault in json.loads(body)["errors"]} == {"title", "colour"}


def test_what_an_answer_holds_is_text_and_never_a_part_of_the_page(page):
    log_in(page)
    title = "<img src=x onerror=document.title='taken'><b>bold</b>"
    status, body = send(page, "DocumentsCreate", {"title": title, "content": "x", "metadata": {"big": 12345678901234567890}})
    assert status == "201 Created" and json.loads(body)["title"] == title
    assert "12345678901234567890" in body  # not rounded on its way through a script
    assert page.run("return document.querySelectorAll('.answer img, .answer b').length + document.title") == "0Quire API"


def test_the_token_is_in_the_page_alone_and_gone_when_it_is_loaded_again(page):
    _, token = log_in(page)
    page.click("#DocumentsCreate > summary")
    page.element("#DocumentsCreate .go button")
    page.run("document.querySelectorAll('#DocumentsCreate details').forEach(details => details.open = true)")
    curl = page.until("return [...document.querySelectorAll('#DocumentsCreate details pre')].map(pre => pre.textContent).join('')", what="the curl command")
    assert "$TOKEN" in curl and token not in curl
    assert page.run("return [document.cookie, localStorage.length, sessionStorage.length, location.href.includes(arguments[0])]", token) == ["", 0, 0, False]
    page.reload()
    page.until("return document.querySelectorAll('.call').length > 0")
    assert page.run("return document.getElementById('token').value") == ""
    assert send(page, "SessionMe")[0] == "401 Unauthorized"


def test_forget_forgets(page):
    log_in(page)
    assert send(page, "SessionMe")[0] == "200 OK"
    page.click("#forget")
    assert page.run("return document.getElementById('who').textContent") == "no token"
    assert send(page, "SessionMe")[0] == "401 Unauthorized"


def test_keys_are_enough(page):
    """From the top: the link past the header, into the list, a call opened, its form sent. No pointer."""
    page.press("Tab", "Enter")
    assert page.run("return location.hash + document.activeElement.id") == "#callscalls"
    for _ in range(40):
        page.press("Tab")
        if page.run("return document.activeElement.matches('#livez > summary')"):
            break
    page.press("Enter")
    page.element("#livez .go button")
    for _ in range(10):
        page.press("Tab")
        if page.run("return document.activeElement.matches('#livez .go button')"):
            break
    assert page.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.press("Enter")
    assert answer(page, "livez") == ("200 OK", '{\n  "status": "alive"\n}')


def test_control_and_enter_send_a_body(page):
    open_call(page, "SessionLogIn")
    page.write("#SessionLogIn textarea", json.dumps({"email": f"nobody-{secrets.token_hex(4)}@example.org", "password": PASSWORD}))
    page.press("Control+Enter")
    assert answer(page, "SessionLogIn")[0] == "401 Unauthorized"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", _SIZES)
def test_it_fits_its_window_and_its_text_stands_out(page, size, scheme):
    page.resize(*_SIZES[size])
    page.prefer(scheme)
    for operation in ("DocumentsPut", "QuerySearch"):
        open_call(page, operation)
    assert page.run("return document.documentElement.scrollWidth <= innerWidth"), "it scrolls sideways"
    # WCAG 2.2, 1.4.3: at least 4.5 to 1 for text of this size.
    faint = page.run("""
        const channel = c => (c /= 255) <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
        const luminance = colour => { const [r, g, b] = colour.match(/[\\d.]+/g).map(Number); return .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b); };
        const ground = element => { for (let at = element; at; at = at.parentElement) { const colour = getComputedStyle(at).backgroundColor;
            if (!/, 0\\)$|transparent/.test(colour)) return colour; } return 'rgb(255, 255, 255)'; };
        return [...document.querySelectorAll('h1, h2, h3, p, a, code, td, span, label, button, summary')]
            .filter(element => element.offsetParent && [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
            .map(element => [element, luminance(getComputedStyle(element).color), luminance(ground(element))])
            .filter(([, a, b]) => (Math.max(a, b) + .05) / (Math.min(a, b) + .05) < 4.5).map(([element]) => element.outerHTML.slice(0, 80));""")
    assert faint == []


def test_nothing_comes_from_outside_and_the_policy_holds(page, stack, anyone):
    assert {url.removeprefix(stack.gateway.url) for url in page.requests()} == {"/docs", "/docs.css", "/docs.js", "/openapi.json"}
    policy = anyone.get("/docs").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    # What the policy forbids doesn't happen, whoever tries: a script in the page, a call to another origin.
    page.run("const script = document.createElement('script'); script.textContent = \"document.title = 'taken'\"; document.body.append(script)")
    refused = page.run("return fetch(arguments[0]).then(() => 'sent', () => 'refused')", stack.gateways[1].url + "/livez")
    assert (page.run("return document.title"), refused) == ("Quire API", "refused")
    assert sum("Content Security Policy" in line for line in page.complaints()) >= 2
