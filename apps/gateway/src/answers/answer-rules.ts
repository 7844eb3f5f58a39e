import { compilePaths, compileTexts, searchJson, type Searched } from '@portcullis/audit';
import { ANSWER_BYTES_USUAL, type AnswerAction, type AnswerRulesEntry } from '@portcullis/contracts/answer-rules';
import type { ServerEntry } from '@portcullis/contracts/snapshot';
import { compileGlob, type GlobMatcher } from '@portcullis/policy';

type Rule = AnswerRulesEntry['rules'][number];

/** What rules found in something that a server said, and what may go on of it: all of it, it with markers, or nothing. */
export interface AnswerFinding {
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

/** The rules for one thing that a server offers, by its own name there; undefined where nobody looks at its answers. */
export function answerRulesOf({ answerRules }: Pick<ServerEntry, 'answerRules'>, name: string): AnswerRules | undefined {
  if (answerRules === undefined) return undefined;
  const known = ofServers.get(answerRules) ?? new RulesOfServer(answerRules);
  ofServers.set(answerRules, known);
  return known.of(name);
}

const ofServers = new WeakMap<AnswerRulesEntry, RulesOfServer>();
const STRICTEST_FIRST: readonly AnswerAction[] = ['block', 'redact', 'log'];
/** Names may be anything where a template offers them; rules that apply together are few. */
const CHOICES_MAX = 1000;

class RulesOfServer {
  private readonly rules: readonly { readonly matches: readonly GlobMatcher[]; readonly rule: Rule }[];
  private readonly byChoice = new Map<string, AnswerRules>();
  private readonly bytesMax: number;

  constructor({ rules, bytesMax = ANSWER_BYTES_USUAL }: AnswerRulesEntry) {
    this.bytesMax = bytesMax;
    this.rules = rules.map((rule) => ({ matches: rule.names.map(compileGlob), rule }));
  }

  of(name: string): AnswerRules | undefined {
    const chosen = this.rules.flatMap(({ matches }, place) => (matches.some((match) => match(name)) ? [place] : []));
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

/** What several rules look for, at one go. */
const searchedBy = (rules: readonly Rule[]): Searched => ({
  secrets: rules.some(({ secrets }) => secrets === true),
  texts: compileTexts(rules.flatMap(({ texts = [] }) => texts)),
  paths: compilePaths(rules.flatMap(({ paths = [] }) => paths)),
});
