const fillers = new Map();

/** What the fake server's tool answers, so that a caller can tell its own answer: the caller's token, then filler up to `characters`. */
export function echoText(token, characters) {
  const head = `${token}:`;
  return characters <= head.length ? head : head + filler(characters - head.length);
}

function filler(characters) {
  let text = fillers.get(characters);
  if (text === undefined) {
    // Few lengths occur in one run.
    if (fillers.size > 256) fillers.clear();
    text = 'abcdefghijklmnopqrstuvwxyz012345'.repeat(Math.ceil(characters / 32)).slice(0, characters);
    fillers.set(characters, text);
  }
  return text;
}
