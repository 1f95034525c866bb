// What the Documents tab and the documents of the source panel do in the browser. Everything is delegated from the
// document, because Gradio draws list and panel again after each gesture.
(() => {
    "use strict";

    const UNREACHED = "Le document n’a pas pu être ouvert : la page ne répond pas.";

    // What has the focus once the list is drawn again.
    let reached = null;

    // Gradio's text box takes a value over when it is told of an input, and tells of it when it differs from the last.
    let asked = 0;

    function ask(box, value) {
        const field = document.querySelector(`#${box} textarea, #${box} input`);
        asked += 1;
        field.value = JSON.stringify({ ...value, asked });
        field.dispatchEvent(new Event("input", { bubbles: true }));
    }

    function turn(value, then = null) {
        reached = then;
        ask("turned", value);
    }

    function settled() {
        const selector = reached;
        reached = null;
        requestAnimationFrame(() =>
            requestAnimationFrame(() => {
                if (selector) document.querySelector(selector)?.focus();
                showBar();
            }),
        );
    }

    // On a narrow screen the picture is wider than its place: the last time is shown first.
    function showBar() {
        const bars = document.querySelector(".bars");
        const bar = bars?.querySelector("[aria-pressed='true']") ?? [...(bars?.querySelectorAll(".bar") ?? [])].at(-1);
        if (bar) bars.scrollLeft = bar.offsetLeft - bars.offsetLeft - bars.clientWidth / 2;
    }

    // -- whole documents ------------------------------------------------------------------------------------------

    function dialog() {
        let shown = document.querySelector("dialog.whole-document");
        if (!shown) {
            shown = document.createElement("dialog");
            shown.className = "whole-document";
            shown.setAttribute("aria-labelledby", "whole-title");
            shown.innerHTML =
                '<button type="button" class="shut" aria-label="Fermer le document">✕</button>' +
                '<div class="whole-text" tabindex="0" role="region" aria-labelledby="whole-title"></div>';
            shown.addEventListener("click", (event) => {
                if (event.target === shown || event.target.closest(".shut")) shown.close();
            });
            document.querySelector(".gradio-container .contain").append(shown);
        }
        return shown;
    }

    // The server has escaped every text of what it gives.
    async function openWhole({ source, start, end, check }) {
        const asked = new URLSearchParams(check ? { source, start, end, check } : { source });
        const shown = dialog();
        const text = shown.querySelector(".whole-text");
        try {
            text.innerHTML = await (await fetch(`documents/whole?${asked}`)).text();
        } catch {
            text.textContent = UNREACHED;
        }
        if (!shown.open) shown.showModal();
        text.scrollTo(0, 0);
        text.focus({ preventScroll: true });
        text.querySelector("mark")?.scrollIntoView({ block: "center" });
    }

    // -- folders --------------------------------------------------------------------------------------------------

    // Gradio 6.31 keeps the last part of a name only, so that the folders go before it.
    function named(file, path) {
        return new File([file], path.join(" - "), { type: file.type });
    }

    const isHidden = (path) => path.some((part) => part.startsWith("."));

    function send(files) {
        const carried = new DataTransfer();
        files.forEach((file) => carried.items.add(file));
        const input = document.querySelector("#drop input[type=file]");
        if (!files.length || !input) return;
        input.files = carried.files;
        input.dispatchEvent(new Event("change", { bubbles: true }));
    }

    async function filesOf(entry, above = []) {
        const path = [...above, entry.name];
        if (isHidden(path)) return [];
        if (entry.isFile) return [named(await new Promise((done, failed) => entry.file(done, failed)), path)];
        const reader = entry.createReader();
        const found = [];
        for (;;) {
            const some = await new Promise((done, failed) => reader.readEntries(done, failed));
            if (!some.length) return found;
            for (const each of some) found.push(...(await filesOf(each, path)));
        }
    }

    function chooseFolder() {
        const input = document.createElement("input");
        input.type = "file";
        input.webkitdirectory = true;
        input.addEventListener("change", () => {
            const paths = [...input.files].map((file) => [file, file.webkitRelativePath.split("/")]);
            send(paths.filter(([, path]) => !isHidden(path)).map(([file, path]) => named(file, path)));
        });
        input.click();
    }

    document.addEventListener(
        "drop",
        async (event) => {
            if (!event.target.closest?.("#drop")) return;
            const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
            if (!entries.some((entry) => entry.isDirectory)) return; // Gradio takes plain files itself
            event.preventDefault();
            event.stopPropagation();
            event.target.dispatchEvent(new DragEvent("dragleave", { bubbles: true }));
            send((await Promise.all(entries.map((entry) => filesOf(entry)))).flat());
        },
        true,
    );

    // -- gestures -------------------------------------------------------------------------------------------------

    const CLICKS = {
        "button.bar": ({ during }) => turn({ during }, `.bar[data-during="${during}"]`),
        "button.chip[data-during]": ({ during }) => turn({ during }, ".bar[tabindex='0']"),
        "button.chip[data-kind]": ({ kind }) => turn({ kind }, `.chip[data-kind="${kind}"]`),
        "button.turn": ({ page }) => {
            document.getElementById("finding").scrollIntoView();
            turn({ page: Number(page) }, ".entry button");
        },
        "button.remove": ({ number }) => turn({ removing: Number(number) }, ".confirm .keep"),
        "button.keep": ({ number }) => turn({ removing: null }, `.remove[data-number="${number}"]`),
        "button.removed": ({ number, withFile }, button) => {
            button.disabled = true;
            button.textContent = "Retrait…";
            reached = "#search input, #search textarea";
            ask("removed", { removed: Number(number), with_file: withFile === "true" });
        },
        "button.whole": openWhole,
        "button.folder": chooseFolder,
    };

    document.addEventListener("click", (event) => {
        for (const [selector, gesture] of Object.entries(CLICKS)) {
            const button = event.target.closest?.(selector);
            if (button) gesture(button.dataset, button);
        }
    });

    const MOVES = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

    // Escape closes the document, and leaves the sources below it open.
    document.addEventListener(
        "keydown",
        (event) => {
            if (event.key === "Escape" && document.querySelector("dialog.whole-document[open]")) event.stopPropagation();
        },
        true,
    );

    document.addEventListener("keydown", (event) => {
        const bar = event.target.closest?.("button.bar");
        if (!bar || !(event.key in MOVES) || event.altKey) return;
        event.preventDefault();
        const bars = [...document.querySelectorAll("button.bar")];
        const place = Math.min(Math.max(bars.indexOf(bar) + MOVES[event.key], 0), bars.length - 1);
        bars.forEach((each, n) => (each.tabIndex = n === place ? 0 : -1));
        bars[place].focus();
    });

    window.sourcierDocuments = { settled };
})();
