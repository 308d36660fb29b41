"""The player's session in the frame: launch codes, and a bearer that is renewed, dies in the middle of a game, or is refused."""

from __future__ import annotations

import hashlib

import pytest

from croupier.apps.wiring import open_hub
from tests.browser.chromium import NEEDS_CHROMIUM, Page
from tests.browser.conftest import CARDS, FRAME, PLAY, Scene

pytestmark = [NEEDS_CHROMIUM, pytest.mark.slow]
PROBLEM = "document.querySelector('.problem')?.innerText"

DEAD = """(() => {
  const real = window.fetch, refuse = %s;
  let dead = true;
  window.told = [];
  window.fetch = async (path, options = {}) => {
    let { headers, body } = options;
    if (options.method === "POST" && String(path).endsWith("/frame/session")) {
      dead = false;
      if (refuse()) body = JSON.stringify({ ...JSON.parse(body), token: "a-token-of-nobody" });
    } else if (dead && headers?.Authorization) headers = { ...headers, Authorization: headers.Authorization.slice(0, -12) + "AAAAAAAAAAAA" };
    const answer = await real(path, { ...options, headers, body });
    window.told.push(`${String(path).split("?")[0].split("/").pop()} ${answer.status}`);
    return answer;
  };
})()"""
"""From now on the hub refuses the bearer that the page has; where the function says so, the casino refuses the player's token too."""


async def opened(scene: Scene, player: str, game: str = "Pebble Keno", more: str = "") -> Page:
    """A player's game in a page of the casino's."""
    page = await scene.embedded(
        f'token: "{await scene.token(player)}", onToken: (t) => heard.push("token"), onTokenExpired: () => heard.push("expired"), {more}'
    )
    await page.until("document.querySelector('header .money')", FRAME)
    await scene.open_game(page, game)
    await page.until("document.querySelector('#bet')", PLAY)
    return page


async def test_a_launch_code_opens_its_game_in_the_frame_page(scene: Scene) -> None:
    """The code leaves the address at once, the session is the one of the launch, and the ways out are the casino's."""
    bye = f"{scene.own.origin}/bye"
    told = await scene.launched("lena", "Pebble Keno", exitUrl=bye, lobbyUrl=f"{scene.own.origin}/lobby")
    page = await scene.browser.page(f"{scene.hub}/frame?clientId={scene.client_id}&code={told['launchCode']}")
    await page.until("document.querySelector('#bet')", PLAY)
    assert await page.run("document.querySelector('.inner').src") == told["frameUri"]
    await page.until("document.querySelector('.bar .money').innerText.includes('1,000')")
    where = str(await page.run("location.href"))
    assert told["launchCode"] not in where
    assert where.endswith(f"#/game_id/{await scene.game_id('Pebble Keno')}")
    assert await page.run("history.length") <= 2
    assert not [told for one in page.headers if told["launchCode"] in str(one.get("Referer"))]
    assert told["launchCode"] not in (scene.world.settings.home / "hub.log").read_text("utf-8")
    scene.own.put("/bye", "Goodbye")
    await page.click("header.bar .ghosted")
    await page.until(f"location.href === {bye!r}")
    await page.close()


async def test_a_code_that_is_no_good_says_what_to_do(scene: Scene) -> None:
    """Used twice, expired, of another game, of another casino, never issued: one page that says so, and no way to try it again."""
    told = await scene.launched("lena", "Pebble Keno", mode="demo")
    other = await scene.game_id("Harbour Lights")
    base, code = f"{scene.hub}/frame?clientId={scene.client_id}&code=", told["launchCode"]
    page = await scene.browser.page(f"{base}{code}#/game_id/{other}")
    assert "belongs to another game" in str(await page.until(PROBLEM))
    assert await page.run("document.activeElement.innerText") == "That did not work"
    await page.open("about:blank")
    await page.open(f"{base}{code}&exitUrl={scene.own.origin}/bye")
    await page.until("document.querySelector('#bet')", PLAY)
    assert await page.text(".bar .tag") == "Demo money", "the page with another game did not use it up"
    for bad in (code, "0" * 48, "%3Cscript%3Ealert(1)%3C/script%3E"):
        await page.open("about:blank")
        await page.open(f"{base}{bad}&exitUrl={scene.own.origin}/bye")
        assert "open the game again" in str(await page.until(PROBLEM))
        labels = await page.run("[...document.querySelectorAll('.problem button')].map((b) => b.innerText)")
        assert labels == ["Exit", "Look around as a guest"]
    await page.click(".problem button:last-child")
    await page.until(CARDS)
    await page.close()


async def test_an_expired_code_and_one_of_another_casino_open_nothing(scene: Scene) -> None:
    """The same page as for a used one: nobody learns from it which codes there are."""
    expired = (await scene.launched("lena", "Pebble Keno"))["launchCode"]
    foreign = (await scene.launched("lena", "Pebble Keno"))["launchCode"]
    async with open_hub(scene.world.settings) as hub:
        digest = hashlib.sha256(expired.encode()).digest()
        await hub.store.db.execute("update launch_codes set expires_ms = 1 where digest = $1", digest)
        other, _ = await hub.store.casinos.add("Wren", "https://wren.example", ["EUR"])
    page = await scene.browser.page("about:blank")
    for client_id, code in ((scene.client_id, expired), (other.casino_id, foreign)):
        await page.open(f"{scene.hub}/frame?clientId={client_id}&code={code}")
        assert "open the game again" in str(await page.until(PROBLEM))
        assert code not in str(await page.run("location.href"))
        await page.open("about:blank")
    await page.open(f"{scene.hub}/frame?clientId={scene.client_id}&code={foreign}")
    await page.until("document.querySelector('#bet')", PLAY)
    await page.close()


async def test_a_code_goes_through_the_client(scene: Scene) -> None:
    told = await scene.launched("lena", "Pebble Keno")
    body = scene.script(f'code: "{told["launchCode"]}", game_id: {await scene.game_id("Pebble Keno")}')
    page = await scene.browser.page(scene.own.put("/by-code", body))
    await page.until("document.querySelector('#bet')", PLAY)
    await page.until("document.querySelector('.bar .money').innerText.includes('1,000')", FRAME)
    await page.close()


async def test_a_bearer_that_dies_in_the_middle_of_a_game_is_replaced(scene: Scene) -> None:
    """The hub says 401, the casino is asked anew, the page gets the next token, and play goes on where it was."""
    page = await opened(scene, "nora")
    before = await page.run("document.querySelector('.inner').src", FRAME)
    await page.run("heard.length = 0")
    await page.run(DEAD % "() => false", FRAME)
    await page.until("heard.includes('token')")
    await page.until("document.body.dataset.phase === 'betting'", PLAY)
    await page.run("[4, 5].forEach((n) => document.querySelectorAll('.number')[n].click())", PLAY)
    await page.click("#bet", PLAY)
    await page.until("document.querySelector('.bar .money').innerText.includes('999')", FRAME)
    told = await page.run("told", FRAME)
    assert told.count("session 401") >= 1
    assert told.count("session 201") == 1, "one new session for all calls that waited"
    assert await page.run("document.querySelector('.inner').src", FRAME) == before
    assert "expired" not in await page.run("heard")
    await page.close()


async def test_a_bearer_is_renewed_before_it_ends(scene: Scene) -> None:
    body = scene.script(f'token: "{await scene.token("nils")}"')
    page = await scene.browser.page(scene.own.put("/renewed", body))
    await page.until("document.querySelector('header .money')", FRAME)
    short = """(() => {
      const real = window.fetch;
      window.renewed = 0;
      window.fetch = async (path, options) => {
        const answer = await real(path, options), told = answer.ok ? await answer.clone().json() : {};
        if (String(path).endsWith("/renew")) window.renewed += 1;
        return told.expiresIn ? new Response(JSON.stringify({ ...told, expiresIn: 301 }), { status: answer.status }) : answer;
      };
    })()"""
    await page.run(short, FRAME)
    await page.run(f'frame.update({{ token: "{await scene.token("nils")}" }})')
    await page.until("renewed >= 2", FRAME)
    assert await page.run("!!document.querySelector('header .money')", FRAME)
    await page.close()


async def test_a_renewal_that_the_casino_refuses_ends_in_words_and_a_login_goes_on(scene: Scene) -> None:
    page = await opened(scene, "nell", more='gameAuth: () => heard.push("auth"),')
    await page.run(DEAD % "() => true", FRAME)
    await page.until("heard.includes('expired')")
    assert "log in at the casino again" in str(await page.until(PROBLEM, FRAME))
    assert not await page.run("!!document.querySelector('.inner')", FRAME), (
        "no more bets in a name that nobody vouches for"
    )
    await page.click(".problem .primary", FRAME)
    await page.until("heard.includes('auth')")
    told = await page.run("told.length", FRAME)
    await page.run("new Promise((done) => setTimeout(done, 4000))", FRAME)
    assert await page.run("told.length", FRAME) <= told + 1, "it does not ask again and again"
    await page.run(f'frame.update({{ token: "{await scene.token("nell")}" }})')
    await page.until(PROBLEM, FRAME)
    await page.close()


async def test_after_a_refusal_a_new_token_shows_the_game_again(scene: Scene) -> None:
    page = await opened(scene, "nick")
    await page.run(DEAD % "() => !window.allowed", FRAME)
    await page.until("heard.includes('expired')")
    await page.until(PROBLEM, FRAME)
    await page.run("window.allowed = true", FRAME)
    await page.run(f'frame.update({{ token: "{await scene.token("nick")}" }})')
    await page.until("document.querySelector('#bet')", PLAY)
    await page.close()


@pytest.mark.parametrize("player", [None, "dora"])
async def test_a_live_draw_opens_its_game(scene: Scene, player: str | None) -> None:
    """For money if somebody is logged in, else the demo; a click and the keyboard."""
    page = await scene.casino_page(player)
    open_keno = "document.querySelector('.draw[data-type=\"23\"] .over')"
    await page.until(open_keno, FRAME)
    await page.until(
        "/[0-9]:[0-9]{2}|in play/.test(document.querySelector('.draw[data-type=\"23\"] .when').innerText)", FRAME
    )
    assert await page.run(f"{open_keno}.getAttribute('aria-label')", FRAME) == "Open Keno"
    await page.run(f"{open_keno}.focus()", FRAME)
    await page.press("Enter")
    await page.until("document.querySelector('#bet')", PLAY)
    assert await page.text(".bar .tag", FRAME) == ("Demo money" if player is None else "Real money")
    assert await page.run("document.querySelector('.bar h1').innerText", FRAME) == "Pebble Keno"
    await page.close()
