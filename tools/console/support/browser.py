"""A headless Chromium, and what one does with a page: look, type, press, wait."""

import shutil
import time

from selenium import webdriver
from selenium.common.exceptions import JavascriptException, StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

SECONDS = 30


class Browser:
    def __init__(self, width=1280, height=900, downloads=None):
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or ""
        for argument in (
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio",
        ):
            options.add_argument(argument)
        if downloads:
            options.add_experimental_option("prefs", {"download.default_directory": str(downloads), "download.prompt_for_download": False})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        self.driver.set_script_timeout(SECONDS)
        self.resize(width, height)

    def resize(self, width, height=900):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})

    def emulate(self, **features):
        """Media features by name, `_` for `-`."""
        pairs = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": pairs})

    def open(self, address):
        self.driver.get(address)

    def go(self, *parts):
        """To a page of the console, which is open already."""
        self.js("if (location.hash === arguments[0]) location.hash = '#/nowhere'", "#/" + "/".join(parts))
        self.js("location.hash = arguments[0]", "#/" + "/".join(parts))
        self.wait("the page", lambda: not self.all("main .loading") and self.all("main .page > *"))

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def module(self, name, body, *arguments):
        """Runs a function's body with `module` being one of the page's own modules; JSON comes back."""
        # Put together here: the page's policy forbids it to make code of text.
        script = f"""
            const [name, given, done] = arguments;
            import(`/assets/${{name}}`).then((module) => {{ {body} }})
                .then((value) => done({{ value }}), (error) => done({{ error: String(error.stack) }}));
        """
        answer = self.driver.execute_async_script(script, name, list(arguments))
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["value"]

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.wait(selector, lambda: next(iter(self.all(selector)), None))

    def text(self, selector="main"):
        return self.js("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def wait(self, what, condition, seconds=SECONDS):
        deadline = time.monotonic() + seconds
        while True:
            try:
                if value := condition():
                    return value
            except (StaleElementReferenceException, JavascriptException):
                pass
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}: not within {seconds} s. The page says:\n{self.text('body')[:3000]}")
            time.sleep(0.05)

    def wait_text(self, text, selector="main"):
        self.wait(f"'{text}' in {selector}", lambda: text in self.text(selector))

    def press(self, selector):
        """Clicks what can be clicked now. Pages are drawn anew while one looks at them, so it is looked for again."""

        def click():
            element = next((one for one in self.all(selector) if one.is_displayed() and one.is_enabled()), None)
            if element is None:
                return False
            try:
                element.click()
            except StaleElementReferenceException:
                return False
            return True

        self.wait(f"{selector} to press", click)

    def type(self, selector, text):
        element = self.one(selector)
        element.clear()
        element.send_keys(text)

    def choose(self, selector, value):
        self.js("arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change', {bubbles: true}))", self.one(selector), value)

    def keys(self, *keys):
        webdriver.ActionChains(self.driver).send_keys(*keys).perform()

    def focused(self):
        """What has the focus, in words."""
        return self.js("const e = document.activeElement; return (e.getAttribute('aria-label') ?? e.innerText ?? '').trim() || e.localName")

    def tab_to(self, label, most=80):
        for _ in range(most):
            self.keys(Keys.TAB)
            if self.focused() == label:
                return
        raise AssertionError(f"the focus never came to '{label}'")

    def fetch(self, method, path, headers=None, body=None):
        """A request as the page could make it: status and code of a problem."""
        return self.driver.execute_async_script(
            """const [method, path, headers, body, done] = arguments;
            fetch(path, { method, headers: headers ?? {}, body }).then(async (response) => {
                const text = await response.text();
                let code = null;
                try { code = JSON.parse(text).code ?? null } catch {}
                done({ status: response.status, code });
            }, (error) => done({ status: 0, code: String(error) }));""",
            method, path, headers, body,
        )

    def complaints(self):
        """What the browser complained of, but that some requests were refused."""
        entries = self.driver.get_log("browser")
        return [entry["message"] for entry in entries if entry["level"] == "SEVERE" and "Failed to load resource" not in entry["message"]]

    def picture(self, path, full=True, most=2400):
        width = self.js("return innerWidth")
        if full:
            self.resize(width, max(640, min(most, self.js("return document.documentElement.scrollHeight"))))
            time.sleep(0.5)
        self.driver.save_screenshot(str(path))
        self.resize(width, 900)

    def close(self):
        self.driver.quit()


