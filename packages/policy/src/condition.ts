import { celEnv, celFunc, celMethod, CelScalar, isCelError, listType, mapType, parse, plan, type CelFunc } from '@bufbuild/cel';
import { RE2JS } from '@bufbuild/re2';
import { CONDITION_CHARS_MAX } from '@portcullis/contracts/grants';
import { ConditionCheck, OUTER_SCOPE, SPEND, type ConditionFault } from './condition-syntax.js';
import type { ConditionArgs } from './condition-values.js';
import { containsText } from './linear-search.js';

/** What a condition is asked about. */
export interface ConditionInput {
  readonly args: ConditionArgs;
  readonly tool: string;
  readonly server: string;
  readonly agent: string;
}

/** Whether it holds; undefined where it cannot be said: a missing member, types that do not fit, an answer that is no bool, too much work. */
export type Condition = (input: ConditionInput) => boolean | undefined;

export type CompiledCondition =
  { readonly condition: Condition; readonly fault: undefined } | { readonly condition: undefined; readonly fault: ConditionFault };

/** Work one evaluation may do, whatever arguments an agent sends: about 50 ms at the very worst. */
const WORK_MAX = 1_000_000;
/** A step of an automaton costs as much as comparing several values. */
const WORK_PER_PATTERN_CHAR = 10;
const TEXTS_KEPT_MAX = 10_000;
const PATTERNS_KEPT_MAX = 10_000;

let workLeft = 0;
let weight = 1;

function spend(work: number): void {
  workLeft -= work;
  if (workLeft < 0) throw new Error('the condition takes too much work on these arguments');
}

const patterns = new Map<string, RE2JS>();

function patternOf(text: string): RE2JS {
  let pattern = patterns.get(text);
  if (pattern === undefined) {
    pattern = RE2JS.compile(text);
    if (patterns.size >= PATTERNS_KEPT_MAX) patterns.clear();
    patterns.set(text, pattern);
  }
  return pattern;
}

function testPattern(text: string, pattern: string): boolean {
  spend(text.length * WORK_PER_PATTERN_CHAR);
  return patternOf(pattern).test(text);
}

const { BOOL, STRING, DYN } = CelScalar;
const LIST = listType(DYN);
const MAP = mapType(DYN, DYN);
/** Every turn of a comprehension may look at all arguments. */
const funcs: CelFunc[] = [
  celFunc(SPEND, [LIST], LIST, (list) => (spend(list.size * weight), list)),
  celFunc(SPEND, [MAP], MAP, (map) => (spend(map.size * weight), map)),
  celFunc('matches', [STRING, STRING], BOOL, testPattern),
  celMethod('matches', STRING, [STRING], BOOL, function (pattern) {
    return testPattern(this, pattern);
  }),
  celMethod('contains', STRING, [STRING], BOOL, function (part) {
    return containsText(this, part);
  }),
];

const environment = celEnv({ funcs });
const compiled = new Map<string, CompiledCondition>();

/** Compiles a condition once for all who have it, or says what is wrong with it. Never throws. */
export function compileCondition(text: string): CompiledCondition {
  const known = compiled.get(text);
  if (known !== undefined) return known;
  const result = compile(text);
  if (compiled.size >= TEXTS_KEPT_MAX) compiled.clear();
  compiled.set(text, result);
  return result;
}

const faulty = (message: string, offset?: number): CompiledCondition => ({ condition: undefined, fault: { message, offset } });

function compile(text: string): CompiledCondition {
  if (text.length > CONDITION_CHARS_MAX) return faulty(`it is longer than ${CONDITION_CHARS_MAX} characters`);
  try {
    const { expr, sourceInfo } = parse(text);
    if (expr === undefined) return faulty('it is empty');
    const check = new ConditionCheck((id) => sourceInfo?.positions[String(id)]);
    check.visit(expr, OUTER_SCOPE);
    const [fault] = check.faults;
    if (fault !== undefined) return { condition: undefined, fault };
    for (const pattern of check.patterns) patternOf(pattern);
    return { condition: evaluator(plan(environment, expr)), fault: undefined };
  } catch (error) {
    return faulty(messageOf(error), offsetOf(error));
  }
}

function evaluator(run: ReturnType<typeof plan>): Condition {
  return ({ args, tool, server, agent }) => {
    workLeft = WORK_MAX;
    weight = args.weight;
    // Without a prototype: a name the object inherits is no variable.
    const result = run({ __proto__: null, args: args.map, tool, server, agent } as unknown as Parameters<typeof run>[0]);
    return typeof result === 'boolean' && !isCelError(result) ? result : undefined;
  };
}

function messageOf(error: unknown): string {
  if (error instanceof RangeError) return 'it is nested too deeply';
  return error instanceof Error ? error.message.replace(/^<input>:\d+:\d+: /, '') : 'it cannot be read';
}

function offsetOf(error: unknown): number | undefined {
  const { location } = error as { location?: { start?: { offset?: unknown } } };
  const offset = location?.start?.offset;
  return typeof offset === 'number' ? offset : undefined;
}
