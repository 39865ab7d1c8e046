// What is better with JavaScript: counts that stay live, and searches that go on by themselves. Every page works without it.
"use strict";

// page fetches a page of ours and returns it as a document, once it is no refusal to go on so fast. What is no page, as for somebody
// who is signed out, is thrown.
async function page(url, body, signal) {
	for (;;) {
		const answer = await fetch(url, {method: body ? "POST" : "GET", body, signal, credentials: "same-origin"});
		if (answer.status === 429) {
			await new Promise((done) => setTimeout(done, 1000 * Number(answer.headers.get("Retry-After") || 1)));
			continue;
		}
		if (!answer.headers.get("Content-Type")?.startsWith("text/html")) throw new Error(answer.statusText);
		return new DOMParser().parseFromString(await answer.text(), "text/html");
	}
}

// unanswered says above a part of the page that it is as it was, or takes that away again.
function unanswered(part, is) {
	const before = part.previousElementSibling;
	const notice = before?.matches("[data-unanswered]") ? before : document.createElement("p");
	if (!is) {
		notice.remove();
		return;
	}
	if (notice === before) return;
	notice.className = "notice warn";
	notice.dataset.unanswered = "";
	notice.setAttribute("role", "status");
	notice.textContent = "The server does not answer, or you are signed out: what is below is as it was.";
	part.before(notice);
}

// Live parts are fetched anew while the page is seen, and not while somebody reads details that are open in them. A server that
// hangs is one that does not answer: each question ends when the next one is due.
const live = document.getElementById("live");
if (live) {
	const every = 1000 * Number(live.dataset.live);
	setInterval(async () => {
		if (document.hidden || live.querySelector("details[open]") || live.contains(document.activeElement)) return;
		try {
			const fresh = (await page(location.href, undefined, AbortSignal.timeout(every))).getElementById("live");
			if (fresh) live.replaceChildren(...fresh.childNodes);
			unanswered(live, !fresh);
		} catch {
			unanswered(live, true);
		}
	}, every);
}

// A search takes its steps one after the other, until its end or until somebody stops it.
let stop = null;
async function walk(form) {
	if (stop) stop.abort();
	const mine = stop = new AbortController();
	const here = document.getElementById("walk");
	try {
		while (form && !mine.signal.aborted) {
			const found = await page(form.action, new URLSearchParams(new FormData(form)), mine.signal);
			const next = found.getElementById("walk");
			if (!next) {
				document.getElementById("main").replaceChildren(...found.getElementById("main").childNodes);
				return;
			}
			here.replaceChildren(...next.childNodes);
			unanswered(here, false);
			form = here.querySelector("form[data-walk]");
			if (form) stoppable(form);
		}
	} catch (fault) {
		if (fault.name === "AbortError") return;
		unanswered(here, true); // and the form is as it was, to be sent again
		const button = here.querySelector("form[data-walk] button");
		if (button) {
			button.type = "submit";
			button.textContent = "Try again";
		}
	}
}

// stoppable turns the button that goes on into one that stops.
function stoppable(form) {
	const button = form.querySelector("button");
	const further = button.textContent;
	button.type = "button";
	button.textContent = "Stop";
	button.addEventListener("click", () => {
		stop.abort();
		stop = null;
		setTimeout(() => { button.type = "submit"; button.textContent = further; });
	}, {once: true});
}

document.addEventListener("submit", (event) => {
	if (!event.target.matches("form[data-walk]")) return;
	event.preventDefault();
	walk(event.target);
});
const first = document.querySelector("form[data-walk][data-auto]");
if (first) walk(first);
