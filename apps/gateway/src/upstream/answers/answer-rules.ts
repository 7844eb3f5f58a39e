import { compilePaths, compileTexts, searchJson, type Searched } from '@portcullis/audit';
import { ANSWER_BYTES_USUAL, type AnswerAction, type AnswerRulesEntry } from '@portcullis/contracts/answer-rules';
import { compileGlob, type GlobMatcher } from '@portcullis/policy';

type Rule = AnswerRulesEntry['rules'][number];

/** What rules found in something that a server said, and what may go on of it: all of it, it with markers, or nothing. */
interface AnswerFinding {
  readonly action: AnswerAction;
  readonly kinds: readonly string[];
  readonly json: string;
}

/** The rules that look at the answers of one target. */
export class AnswerRules {
  private readonly searches: readonly (readonly [AnswerAction, Searched])[];

  constructor(
    readonly bytesMax: number,
    rules: readonly Rule[],
  ) {
    this.searches = STRICTEST_FIRST.flatMap((action) => {
      const found = rules.filter((rule) => rule.action === action);
      return found.length === 0 ? [] : [[action, searchedBy(found)] as const];
    });
  }

  /** Whether an answer must not pass before it was looked at: unless rules only log. */
  get mustHold(): boolean {
    return this.searches.some(([action]) => action !== 'log');
  }

  /** What the strictest rule that finds something says of this JSON; undefined where none does. */
  look(json: string): AnswerFinding | undefined {
    for (const [action, searched] of this.searches) {
      const found = searchJson(json, searched);
      if (found === undefined) continue;
      return { action, kinds: found.kinds, json: action === 'redact' ? found.json : action === 'log' ? json : '' };
    }
    return undefined;
  }
}

/** Whose call of what: the agent's slug, and the target by its own name at its server. */
interface AnsweredCall {
  readonly agent: string;
  readonly name: string;
}

/** The rules that look at the answer of such a call; undefined where none does. */
export function answerRulesOf(rules: AnswerRulesEntry, call: AnsweredCall): AnswerRules | undefined {
  const known = ofServers.get(rules) ?? new RulesOfServer(rules);
  ofServers.set(rules, known);
  return known.of(call);
}

const ofServers = new WeakMap<AnswerRulesEntry, RulesOfServer>();
const STRICTEST_FIRST: readonly AnswerAction[] = ['block', 'redact', 'log'];
/** Names may be anything where a template offers them; rules that apply together are few. */
const CHOICES_MAX = 1000;

class RulesOfServer {
  private readonly rules: readonly {
    readonly names: readonly GlobMatcher[];
    readonly agents: readonly GlobMatcher[] | undefined;
    readonly rule: Rule;
  }[];
  private readonly byChoice = new Map<string, AnswerRules>();
  private readonly bytesMax: number;

  constructor({ rules, bytesMax = ANSWER_BYTES_USUAL }: AnswerRulesEntry) {
    this.bytesMax = bytesMax;
    this.rules = rules.map((rule) => ({ names: rule.names.map(compileGlob), agents: rule.agents?.map(compileGlob), rule }));
  }

  of({ name, agent }: AnsweredCall): AnswerRules | undefined {
    const chosen = this.rules.flatMap(({ names, agents }, place) =>
      matches(names, name) && (agents === undefined || matches(agents, agent)) ? [place] : [],
    );
    if (chosen.length === 0) return undefined;
    const choice = chosen.join();
    const known = this.byChoice.get(choice);
    if (known !== undefined) return known;
    const made = new AnswerRules(
      this.bytesMax,
      this.rules.flatMap(({ rule }, place) => (chosen.includes(place) ? [rule] : [])),
    );
    if (this.byChoice.size >= CHOICES_MAX) this.byChoice.clear();
    this.byChoice.set(choice, made);
    return made;
  }
}

const matches = (globs: readonly GlobMatcher[], name: string): boolean => globs.some((glob) => glob(name));

/** What several rules look for, at one go. */
const searchedBy = (rules: readonly Rule[]): Searched => ({
  secrets: rules.some(({ secrets }) => secrets === true),
  texts: compileTexts(rules.flatMap(({ texts = [] }) => texts)),
  paths: compilePaths(rules.flatMap(({ paths = [] }) => paths)),
});
