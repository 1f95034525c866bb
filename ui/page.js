// Ties each marker of an answer to its sentence in the source panel. Everything is delegated from the document,
// because Gradio draws messages and panel again after each answer.
(() => {
    "use strict";

    document.documentElement.lang = "fr";

    // Gradio 6.31 labels each message with its own HTML source, which a screen reader would read aloud before the text,
    // and gives no name to the button beside the question.
    new MutationObserver(() => {
        document.querySelectorAll("#messages [data-testid][aria-label]").forEach((e) => e.removeAttribute("aria-label"));
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
        const sentence = target.querySelector("mark");
        sentence.scrollIntoView({ block: "center", behavior: calm.matches ? "auto" : "smooth" });
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

    async function copy(button) {
        await navigator.clipboard.writeText(button.dataset.copy);
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
            const button = event.target.closest("button.copy");
            if (button) copy(button);
            const chip = event.target.closest("button.chip");
            if (chip?.matches(".edit")) type(chip.parentElement.querySelector(".reading").textContent);
            if (chip?.matches(".undated")) askUndated(questionAbove(chip));
        },
        true,
    );

    document.addEventListener("keydown", (event) => {
        if (event.key === "Escape") sheet(false);
    });

    window.sourcier = { readyForNext, save };
})();
