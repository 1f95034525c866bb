// Ties each marker of an answer to its sentence in the source panel. Everything is delegated from the document,
// because Gradio draws messages and panel again after each answer.
(() => {
    "use strict";

    document.documentElement.lang = "fr";

    // Gradio 6.31 labels each message with its own HTML source, which a screen reader would read aloud before the text,
    // and gives no name to the button beside the question.
    new MutationObserver(() => {
        document.querySelectorAll("#messages [data-testid][aria-label]").forEach((e) => e.removeAttribute("aria-label"));
        // Of a button in a message Gradio keeps the class only.
        document.querySelectorAll("#messages button.judge:not([data-judge])").forEach((button) => {
            button.dataset.turn = turnOf(button);
            button.dataset.judge = button.matches(".good") ? "good" : "bad";
            button.ariaPressed = "false";
        });
        document.querySelector("#question .submit-button")?.setAttribute("aria-label", "Poser la question");
    }).observe(document.documentElement, { childList: true, subtree: true });

    const calm = matchMedia("(prefers-reduced-motion: reduce)");

    function sheet(open) {
        document.getElementById("proof")?.classList.toggle("open", open);
    }

    function light(element, group) {
        document.querySelectorAll(`${group}.lit`).forEach((other) => other.classList.remove("lit"));
        element.classList.add("lit");
    }

    function showSection(section) {
        document.querySelectorAll("section.sources").forEach((other) => {
            other.classList.toggle("current", other === section);
            other.classList.toggle("past", other !== section);
        });
        sheet(true);
    }

    function openSource(marker, target) {
        showSection(target.closest("section.sources"));
        light(marker, "a.marker");
        light(target, "article.source");
        target.focus({ preventScroll: true });
        tellPlace(target);
        const sentence = target.querySelector("mark");
        sentence.scrollIntoView({ block: "center", behavior: calm.matches ? "auto" : "smooth" });
    }

    function cardsShown() {
        return [...document.querySelectorAll("article.source")].filter((card) => card.offsetParent);
    }

    function tellPlace(card) {
        const cards = cardsShown();
        document.querySelector(".steps").hidden = cards.length < 2;
        document.querySelector(".steps .place").textContent = `${cards.indexOf(card) + 1} / ${cards.length}`;
    }

    // The citation before or after the one that is open, round and round.
    function step(by) {
        const cards = cardsShown();
        if (!cards.length) return;
        const now = cards.findIndex((card) => card.matches(".lit"));
        const next = cards[(Math.max(now, by < 0 ? 0 : -1) + by + cards.length) % cards.length];
        const marker = document.querySelector(`a.marker[href="#${next.id}"]`);
        openSource(marker ?? next, next);
    }

    function judge(button) {
        const { judge: judgement, turn, marker } = button.dataset;
        const said = { turn: Number(turn), judgement, ...(marker && { marker: Number(marker) }) };
        const box = document.querySelector("#said textarea, #said input");
        box.value = JSON.stringify(said);
        box.dispatchEvent(new Event("input", { bubbles: true }));
    }

    function kept(said) {
        const { turn, judgement, marker } = JSON.parse(said);
        const of = `button.judge[data-turn="${turn}"]` + (marker ? `[data-marker="${marker}"]` : ":not([data-marker])");
        document.querySelectorAll(of).forEach((button) => {
            button.setAttribute("aria-pressed", String(button.dataset.judge === judgement));
        });
    }

    // An answer is read from its question down, its sources from the first one; then the next question can be typed.
    // On a touch screen the keyboard would cover what has just been answered.
    function readyForNext() {
        const messages = document.querySelector("#messages [role=log]");
        const question = [...document.querySelectorAll("#messages .question")].at(-1);
        if (question) messages.scrollTop += question.getBoundingClientRect().top - messages.getBoundingClientRect().top;
        document.querySelector(".proof-panel").scrollTo(0, 0);
        if (matchMedia("(hover: hover)").matches) {
            document.querySelector("#question textarea").focus({ preventScroll: true });
        }
    }

    function turnOf(button) {
        return [...button.classList].find((name) => name.startsWith("turn-")).slice("turn-".length);
    }

    // The answer as it is read, then each sentence that it cites with where it stands.
    function answerWithSources(button) {
        const answer = button.closest(".answer").cloneNode(true);
        answer.querySelectorAll("a.marker").forEach((marker) => marker.replaceWith(`[${marker.textContent}]`));
        const said = [...answer.querySelectorAll("p:not([class]), blockquote")].map((part) => part.textContent.trim());
        const cards = [...document.querySelectorAll(`#sources-${turnOf(button)} article.source`)];
        const sources = cards.map((card) => {
            const number = card.querySelector(".number").textContent;
            return `[${number}] ${card.querySelector("button.copy[data-copy]").dataset.copy}`;
        });
        return [...said, ...sources].join("\n\n");
    }

    async function copy(button, text) {
        await navigator.clipboard.writeText(text);
        const label = button.textContent;
        button.textContent = "Copié";
        setTimeout(() => (button.textContent = label), 1500);
    }

    // Gradio's text box takes a value over when it is told of an input.
    function type(text) {
        const box = document.querySelector("#question textarea");
        box.value = text;
        box.dispatchEvent(new Event("input", { bubbles: true }));
        box.focus();
    }

    function questionAbove(element) {
        const isAbove = (other) => other.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING;
        return [...document.querySelectorAll("#messages .question")].filter(isAbove).at(-1).textContent;
    }

    // Asks a question again without reading its dates: the box that says so is there to be checked again.
    function askUndated(text) {
        const box = document.querySelector("#read-dates input");
        if (box.checked) box.click();
        type(text);
        // Gradio takes both over, and lets the answer before end, within a moment.
        setTimeout(() => document.querySelector("#question .submit-button").click(), 200);
    }

    function save(name, text) {
        if (!name) return;
        const link = document.createElement("a");
        link.href = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
        link.download = name;
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    }

    document.addEventListener(
        "click",
        (event) => {
            const link = event.target.closest("a.marker, a.show");
            if (link) {
                event.preventDefault();
                event.stopPropagation();
                const target = document.getElementById(link.hash.slice(1));
                if (target?.matches("article.source")) openSource(link, target);
                else if (target?.matches("section.sources")) {
                    showSection(target);
                    target.focus();
                }
                return;
            }
            if (event.target.closest("button.close")) sheet(false);
            if (event.target.closest("button.keys")) document.getElementById("keys").showModal();
            if (event.target.closest("#keys button") || event.target.id === "keys") document.getElementById("keys").close();
            const button = event.target.closest("button.copy");
            if (button?.dataset.copy) copy(button, button.dataset.copy);
            const whole = event.target.closest("button.copy-answer");
            if (whole) copy(whole, answerWithSources(whole));
            const judged = event.target.closest("button.judge");
            if (judged) judge(judged);
            const way = event.target.closest("button.step");
            if (way) step(Number(way.dataset.step));
            const chip = event.target.closest("button.chip");
            if (chip?.matches(".edit")) type(chip.parentElement.querySelector(".reading").textContent);
            if (chip?.matches(".ask")) {
                type(chip.textContent);
                submit();
            }
            if (chip?.matches(".undated")) askUndated(questionAbove(chip));
        },
        true,
    );

    document.addEventListener("keydown", (event) => {
        if (event.key === "Escape") sheet(false);
        if (event.altKey && ["ArrowLeft", "ArrowRight"].includes(event.key) && cardsShown().length) {
            event.preventDefault();
            step(event.key === "ArrowLeft" ? -1 : 1);
        }
        if (event.target.closest("input, textarea, dialog")) return;
        if (event.key === "/") {
            event.preventDefault();
            document.querySelector("#question textarea").focus();
        }
        if (event.key === "?") document.getElementById("keys").showModal();
    });

    function submit() {
        setTimeout(() => document.querySelector("#question .submit-button").click(), 200);
    }

    window.sourcier = { kept, readyForNext, save, stopped: readyForNext, submit };
})();
