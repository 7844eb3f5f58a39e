const BYTES = 256;
const bytes = Buffer.allocUnsafeSlow(16 * 1024);

interface State {
  readonly next: Map<string, State>;
  /** The state of the longest end of this one that begins a word too. */
  fallback: State | undefined;
  /** The places of the words that end here. */
  readonly words: number[];
  number: number;
}

/**
 * Finds words in a text in one pass, whatever case their letters are in (A. Aho and M. Corasick, "Efficient string matching", CACM 18 (6), 1975). It is a
 * table with a row for each beginning of a word and a column for each character that words have. Words are ASCII, and few.
 */
export class WordFinder {
  private readonly columnOf = new Uint8Array(BYTES);
  /** From the beginning of a row and a column to the beginning of the next row; negative where a word ends. */
  private readonly table: Int32Array;
  /** By the beginning of a row: the words that end there. */
  private readonly endingAt = new Map<number, readonly number[]>();

  constructor(words: readonly string[]) {
    const states = statesOf(words.map((word) => word.toLowerCase()));
    const characters = [...new Set(words.join('').toLowerCase())];
    const columns = characters.length + 1;
    for (const [at, character] of characters.entries()) {
      this.columnOf[character.charCodeAt(0)] = at + 1;
      this.columnOf[character.toUpperCase().charCodeAt(0)] = at + 1;
    }
    this.table = new Int32Array(states.length * columns);
    for (const state of states) {
      for (const [at, character] of characters.entries()) {
        const { number, words: ending } = after(state, character);
        this.table[state.number * columns + at + 1] = number * columns * (ending.length > 0 ? -1 : 1);
      }
      if (state.words.length > 0) this.endingAt.set(state.number * columns, state.words);
    }
  }

  /**
   * Whether the text has a word that counts; `counts` is told which, by its place in the list, and where it ends. Letters of other alphabets may be taken
   * for those of a word: it is read as bytes, since asking a string for each of its characters costs ten times as much.
   */
  isAnyIn(text: string, counts: (word: number, end: number) => boolean): boolean {
    const { columnOf, table } = this;
    let row = 0;
    for (let from = 0; from < text.length; from += bytes.length) {
      const length = bytes.write(from === 0 && text.length <= bytes.length ? text : text.slice(from, from + bytes.length), 'latin1');
      for (let at = 0; at < length; at += 1) {
        row = table[row + (columnOf[bytes[at] ?? 0] ?? 0)] ?? 0;
        if (row >= 0) continue;
        row = -row;
        if (this.isCounted(row, from + at + 1, counts)) return true;
      }
    }
    return false;
  }

  /** Apart from the loop, whose turns would each make room for what this closure keeps. */
  private isCounted(row: number, end: number, counts: (word: number, end: number) => boolean): boolean {
    return this.endingAt.get(row)?.some((word) => counts(word, end)) === true;
  }
}

/** Every beginning of a word, shorter ones first; the empty one is the first. */
function statesOf(words: readonly string[]): State[] {
  const root: State = { next: new Map(), fallback: undefined, words: [], number: 0 };
  const states = [root];
  for (const [at, word] of words.entries()) beginningsOf(word, root).words.push(at);
  for (const state of states)
    for (const [character, next] of state.next) {
      next.number = states.push(next) - 1;
      next.fallback = state.fallback === undefined ? root : after(state.fallback, character);
      next.words.push(...next.fallback.words);
    }
  return states;
}

/** The state of a whole word; those of its beginnings are made where they are missing. */
function beginningsOf(word: string, root: State): State {
  let state = root;
  for (const character of word) {
    const next = state.next.get(character) ?? { next: new Map(), fallback: undefined, words: [], number: 0 };
    state.next.set(character, next);
    state = next;
  }
  return state;
}

/** The longest beginning of a word that a text ends with which went on with this character. */
function after(state: State, character: string): State {
  for (let at: State | undefined = state; at !== undefined; at = at.fallback) {
    const next = at.next.get(character);
    if (next !== undefined) return next;
    if (at.fallback === undefined) return at;
  }
  return state;
}
