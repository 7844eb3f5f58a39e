import { WordFinder } from './word-finder.js';

/** Part of a text that is secret, and of which kind. */
export interface FoundSecret {
  readonly start: number;
  readonly end: number;
  readonly kind: string;
}

/**
 * A shape is a beginning that tells it apart and then as many characters as there are: it either fails within a bounded number of characters or takes
 * everything it looked at. So no text, however it was made up, is looked at more than a bounded number of times.
 */
type Shapes = Readonly<Record<string, string>>;

const SHAPES: Shapes = {
  private_key: String.raw`-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,60}-----|$)`,
  portcullis_key: String.raw`(?:gw|op|node|join)_[a-z0-9]{16}_[\w-]{4,}|task_[\w-]{40,}|whsec_[\w+/=-]{20,}`,
  github_token: String.raw`gh[oprsu]_[A-Za-z0-9]{20,}|github_pat_\w{20,}`,
  gitlab_token: String.raw`gl(?:pat|ptt|dt|rt|cbt|agent|soat|ft|imt|oas)-[\w-]{16,}`,
  slack_token: String.raw`xox[a-z]-[\w-]{10,}|xapp-[\w-]{10,}|hooks\.slack\.com/services/[\w/]{20,}`,
  aws_key: String.raw`(?:AKIA|ASIA)[A-Z0-9]{16,}`,
  google_key: String.raw`AIza[\w-]{30,}|GOCSPX-[\w-]{20,}|ya29\.[\w-]{20,}`,
  stripe_key: String.raw`[sr]k_(?:live|test)_\w{16,}`,
  api_key: String.raw`\bsk-[\w-]{20,}`,
  npm_token: String.raw`npm_[A-Za-z0-9]{30,}`,
  registry_token: String.raw`pypi-[\w-]{40,}|\bhf_[A-Za-z0-9]{30,}|do[opr]_v1_[a-f0-9]{40,}`,
  // Whether there are dots enough is looked at afterwards.
  jwt: String.raw`eyJ[\w-]{10,}[\w.-]*`,
  url_credentials: String.raw`://(?<value>[^\s"'/?#:@\\]{0,256}:[^\s"'/?#\\]{1,1024}|[^\s"'/?#:@\\]{16,256})@`,
};

const NAME = [
  'pass(?:word|wd|phrase|code)s?',
  'pwd',
  '(?:client|app|shared|signing|webhook|consumer)[_-]?secrets?',
  '(?:api|app|shared|signing|secret|private|encryption|account|master|session)[_-]?key',
  '(?:secret[_-]?)?access[_-]?key',
  '(?:access|refresh|auth|api|bearer|id|session|security)[_-]?token',
].join('|');
/** Quotes and, in JSON within a text, the backslashes before them. */
const QUOTE = String.raw`\\{0,3}["']`;
const UNQUOTED = String.raw`[^\s"'\\,;&<>]{4,}`;

/** What is told by the name before it, in upper and lower case alike. */
const NAMED: Shapes = {
  authorization: [
    String.raw`authorization(?:${QUOTE})?\s{0,4}[:=]\s{0,4}(?:${QUOTE})?(?<value>(?:[a-z]{2,20}\s{1,4})?[^\s"'\\,;]{4,})`,
    String.raw`\b(?:bearer|basic)\s{1,4}(?=[\w.~+/-]{0,64}[0-9])(?<value>[\w.~+/-]{8,}=*)`,
  ].join('|'),
  field: [
    String.raw`(?:${NAME}|secret|token)${QUOTE}\s{0,4}:\s{0,4}${QUOTE}(?<value>[^"'\\]+)`,
    String.raw`(?:${NAME})(?:${QUOTE})?\s{0,4}[:=]\s{0,4}(?:${QUOTE}(?<value>[^"'\\]+)|(?<value>${UNQUOTED}))`,
    String.raw`(?:secret|(?<!(?:page|next|sync|continuation|progress)[_-]?)token|[?&]sig|[?&]key)=(?<value>${UNQUOTED})`,
  ].join('|'),
};

const compiled = (shapes: Shapes, flags: string): RegExp =>
  new RegExp(
    Object.entries(shapes)
      .map(([kind, source]) => `(?<${kind}>${source})`)
      .join('|'),
    flags,
  );

const { jwt: _jwt, ...SHAPES_IN_A_RUN } = SHAPES;
const SHAPED = compiled(SHAPES, 'dg');
const SHAPED_IN_A_RUN = compiled(SHAPES_IN_A_RUN, 'dg');
const BY_NAME = compiled(NAMED, 'dgi');

/** What every secret has one of, whatever its case, wherever it lies. An escape may hide anything. What is recognised by its field's name has that name here. */
const TRACES = [
  String.raw`\u \/ eyj akia asia aiza gocspx ya29 gho_ ghp_ ghr_ ghs_ ghu_ github_pat glpat- glptt- gldt- glrt- glcbt- glagent- glsoat- glft- glimt- gloas-`,
  'xox xapp- hooks.slack sk- sk_ rk- rk_ npm_ pypi- hf_ doo_v1 dop_v1 dor_v1 gw_ op_ node_ join_ task_ whsec_ -----begin',
  'bearer pass pwd secret token authorization cookie credential',
].flatMap((words) => words.split(' '));
/** What is one only with this at its end, which may look back. */
const TRACES_IN_PLACE: Readonly<Record<string, RegExp>> = {
  '://': /[^"/\s]{0,1300}(?:@|$)/y,
  basic: /\s/y,
  connection: /.?string/iy,
  key: /(?<=(?:api|app|shared|signing|private|encryption|account|master|session|access).?key)|(?<=[?&]key)=/iy,
  'sig=': /(?<=[?&]sig=)/iy,
};
const traces = new WordFinder([...TRACES, ...Object.keys(TRACES_IN_PLACE)]);
const inPlace = [...TRACES.map(() => undefined), ...Object.values(TRACES_IN_PLACE)];

/** The beginning of a JSON Web Token, which is known for one where the text is cut off behind it, is the shortest secret without a sign between its words. */
const WORD_CHARS_MAX = 12;
const WORD = /^[\w-]*$/;

/** Whether a text could hold a secret by its shape or by the name of a field in it: cheap, and wrong only in saying yes. A short word, as most names are, holds none. */
export const mayHoldSecret = (text: string): boolean => !(text.length <= WORD_CHARS_MAX && WORD.test(text)) && traces.isAnyIn(text, isTrace(text));

const isTrace =
  (text: string) =>
  (word: number, end: number): boolean => {
    const pattern = inPlace[word];
    if (pattern === undefined) return true;
    pattern.lastIndex = end;
    return pattern.test(text);
  };

/** The secrets in a text, first to last, none overlapping. `cut`: the text goes on where it ends here. */
export function secretsIn(text: string, cut = false): FoundSecret[] {
  const found = matchesOf(BY_NAME, text).map(foundOf);
  for (const match of matchesOf(SHAPED, text)) {
    const secret = foundOf(match);
    if (secret.kind !== 'jwt' || isToken(match[0], cut && secret.end === text.length)) found.push(secret);
    else {
      // No token after all: what else lies in this run was passed over.
      for (const inner of matchesOf(SHAPED_IN_A_RUN, match[0])) found.push(moved(foundOf(inner), match.index));
    }
  }
  return joined(found);
}

/** As `matchAll`, which makes a pattern of its own each time. */
function matchesOf(pattern: RegExp, text: string): RegExpExecArray[] {
  const matches: RegExpExecArray[] = [];
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) matches.push(match);
  return matches;
}

const isToken = (run: string, goesOn: boolean): boolean => goesOn || run.split('.', 3).length === 3;

const moved = ({ start, end, kind }: FoundSecret, by: number): FoundSecret => ({ start: start + by, end: end + by, kind });

function foundOf({ groups = {}, indices, index, 0: whole }: RegExpExecArray): FoundSecret {
  const kind = Object.keys(groups).find((name) => name !== 'value' && groups[name] !== undefined) ?? 'field';
  const [start, end] = indices?.groups?.['value'] ?? [index, index + whole.length];
  return { start, end, kind: kind.replaceAll('_', '-') };
}

/** In order; of what overlaps all is one secret, of the kind that its shape tells. */
export function joined(found: FoundSecret[]): FoundSecret[] {
  const whole: FoundSecret[] = [];
  for (const next of found.sort((a, b) => a.start - b.start)) {
    const last = whole.at(-1);
    if (last === undefined || next.start >= last.end) whole.push(next);
    else whole[whole.length - 1] = { start: last.start, end: Math.max(last.end, next.end), kind: next.kind === 'field' ? last.kind : next.kind };
  }
  return whole;
}
