import type { Expr, Expr_Call, Expr_Comprehension } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';

/** What is wrong with the text of a condition, and where: an offset in UTF-16 units, undefined where the whole is meant. */
export interface ConditionFault {
  readonly message: string;
  readonly offset: number | undefined;
}

/** What a condition may look at. */
export const CONDITION_VARIABLES: readonly string[] = ['args', 'tool', 'server', 'agent'];

/** The function that a comprehension pays its work to; no text can name it. */
export const SPEND = '@spend';

const TYPE_NAMES = ['int', 'uint', 'double', 'bool', 'string', 'bytes', 'list', 'map', 'null_type', 'type'];
const OPERATORS = [
  '_&&_',
  '_||_',
  '!_',
  '_?_:_',
  '_==_',
  '_!=_',
  '_<_',
  '_<=_',
  '_>_',
  '_>=_',
  '_+_',
  '_-_',
  '_*_',
  '_/_',
  '_%_',
  '-_',
  '@in',
  '_[_]',
];
const FUNCTIONS = ['size', 'contains', 'startsWith', 'endsWith', 'matches', 'type', 'dyn', 'timestamp', 'duration'];
const CONVERSIONS = ['int', 'uint', 'double', 'bool', 'string', 'bytes'];
const TIME_PARTS = ['FullYear', 'Month', 'Date', 'DayOfMonth', 'DayOfWeek', 'DayOfYear', 'Hours', 'Minutes', 'Seconds', 'Milliseconds'];
const CALLABLE: ReadonlySet<string> = new Set([
  ...OPERATORS,
  ...FUNCTIONS,
  ...CONVERSIONS,
  ...TIME_PARTS.map((part) => `get${part}`),
  '@not_strictly_false',
]);

const PATTERN_CHARS_MAX = 512;
const REPEATS_MAX = 100;

/** Looks through a parsed condition: names and functions that exist, patterns that are constant. Lets each comprehension pay for what it does. */
export class ConditionCheck {
  readonly faults: ConditionFault[] = [];
  readonly patterns = new Set<string>();

  constructor(private readonly offsetOf: (id: bigint) => number | undefined) {}

  visit(expr: Expr, scope: ReadonlySet<string>): void {
    const { exprKind } = expr;
    switch (exprKind.case) {
      case 'identExpr':
        if (!scope.has(exprKind.value.name)) this.fault(expr, `there is no ${exprKind.value.name}; known are ${CONDITION_VARIABLES.join(', ')}`);
        return;
      case 'selectExpr':
        return this.visitSome([exprKind.value.operand], scope);
      case 'callExpr':
        return this.visitCall(expr, exprKind.value, scope);
      case 'listExpr':
        return this.visitSome(exprKind.value.elements, scope);
      case 'structExpr':
        if (exprKind.value.messageName !== '') this.fault(expr, `there is no type ${exprKind.value.messageName}`);
        for (const { keyKind, value } of exprKind.value.entries)
          this.visitSome([keyKind.case === 'mapKey' ? keyKind.value : undefined, value], scope);
        return;
      case 'comprehensionExpr':
        return this.visitComprehension(expr, exprKind.value, scope);
      case 'constExpr':
      case undefined:
        return;
    }
  }

  private visitSome(exprs: readonly (Expr | undefined)[], scope: ReadonlySet<string>): void {
    for (const expr of exprs) if (expr !== undefined) this.visit(expr, scope);
  }

  private visitCall(expr: Expr, call: Expr_Call, scope: ReadonlySet<string>): void {
    if (!CALLABLE.has(call.function)) this.fault(expr, `there is no function ${call.function}`);
    if (call.function === 'matches') this.checkPattern(expr, call);
    this.visitSome([call.target, ...call.args], scope);
  }

  /** A pattern that an agent could choose would be compiled at its word. */
  private checkPattern(expr: Expr, { target, args }: Expr_Call): void {
    const pattern = target === undefined ? args[1] : args[0];
    const constant = pattern?.exprKind.case === 'constExpr' ? pattern.exprKind.value.constantKind : undefined;
    if (constant?.case !== 'stringValue') return this.fault(expr, 'the pattern of matches must be written out as a text');
    const repeats = constant.value.matchAll(/\{(\d+)(?:,(\d*))?\}/g);
    if (constant.value.length > PATTERN_CHARS_MAX) this.fault(expr, `the pattern is longer than ${PATTERN_CHARS_MAX} characters`);
    else if ([...repeats].some(([, low, high]) => Number(low) > REPEATS_MAX || Number(high ?? 0) > REPEATS_MAX)) {
      this.fault(expr, `the pattern repeats something more than ${REPEATS_MAX} times`);
    } else this.patterns.add(constant.value);
  }

  private visitComprehension(expr: Expr, fold: Expr_Comprehension, scope: ReadonlySet<string>): void {
    if (fold.iterRange === undefined) return;
    this.visit(fold.iterRange, scope);
    const inner = new Set([...scope, fold.iterVar, fold.accuVar]);
    this.visitSome([fold.accuInit, fold.loopCondition, fold.loopStep, fold.result], inner);
    const range = fold.iterRange;
    const call: Expr_Call = { $typeName: 'cel.expr.Expr.Call', function: SPEND, args: [range] };
    fold.iterRange = { $typeName: 'cel.expr.Expr', id: expr.id, exprKind: { case: 'callExpr', value: call } };
  }

  private fault({ id }: Expr, message: string): void {
    this.faults.push({ message, offset: this.offsetOf(id) });
  }
}

/** The names that hold everywhere in a condition. */
export const OUTER_SCOPE: ReadonlySet<string> = new Set([...CONDITION_VARIABLES, ...TYPE_NAMES]);
