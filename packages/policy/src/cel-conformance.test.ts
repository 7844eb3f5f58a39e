import { celEnv, isCelError, isCelList, isCelMap, isCelUint, parse, plan, type CelInput, type CelValue } from '@bufbuild/cel';
import type { Value } from '@bufbuild/cel-spec/cel/expr/value_pb.js';
import { getConformanceSuite, type IncrementalTestSuite } from '@bufbuild/cel-spec/testdata/tests.js';
import { expect, test } from 'vitest';

type SimpleTest = IncrementalTestSuite['tests'][number]['original'];

/** The parts of the official suite that conditions are made of; the others are about protobuf messages and extensions. */
const PARTS = ['basic', 'comparisons', 'conversions', 'fp_math', 'integer_math', 'lists', 'logic', 'macros', 'parse', 'string', 'timestamps'];
const MESSAGES = /TestAllTypes|google\.protobuf|proto\.|optional/;

const testsOf = (suite: IncrementalTestSuite): SimpleTest[] => [...suite.tests.map(({ original }) => original), ...suite.suites.flatMap(testsOf)];

/** A value of the suite as text that tells types apart; undefined for messages. */
function wanted({ kind }: Value): string | undefined {
  switch (kind.case) {
    case 'nullValue':
      return 'null';
    case 'boolValue':
    case 'stringValue':
    case 'doubleValue':
      return spell(kind.value);
    case 'int64Value':
      return spell(kind.value);
    case 'uint64Value':
      return `${String(kind.value)}u`;
    case 'bytesValue':
      return spell(kind.value);
    case 'listValue':
      return `[${kind.value.values.map(wanted).join()}]`;
    case 'mapValue':
      return `{${kind.value.entries
        .map(({ key, value }) => `${String(key && wanted(key))}:${String(value && wanted(value))}`)
        .sort()
        .join()}}`;
    default:
      return undefined;
  }
}

function spell(value: CelValue): string {
  if (value === null) return 'null';
  if (typeof value === 'bigint') return `${String(value)}i`;
  if (typeof value === 'number') return `${String(value === 0 ? 0 : value)}d`;
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'boolean') return String(value);
  if (value instanceof Uint8Array) return `b${[...value].join()}`;
  if (isCelUint(value)) return `${String(value.value)}u`;
  if (isCelList(value)) return `[${[...value].map(spell).join()}]`;
  if (isCelMap(value))
    return `{${[...value]
      .map(([key, member]) => `${spell(key)}:${spell(member)}`)
      .sort()
      .join()}}`;
  return 'other';
}

function inputOf({ kind }: Value): CelInput | undefined {
  switch (kind.case) {
    case 'nullValue':
      return null;
    case 'boolValue':
    case 'int64Value':
    case 'doubleValue':
    case 'stringValue':
    case 'bytesValue':
      return kind.value;
    default:
      return undefined;
  }
}

/** Whether a case gives what it must; undefined for one that is not about conditions. */
function passes({ expr, container, bindings, resultMatcher }: SimpleTest): boolean | undefined {
  if (container !== '' || MESSAGES.test(expr)) return undefined;
  const given = Object.entries(bindings).map(([name, { kind }]) => [name, kind.case === 'value' ? inputOf(kind.value) : undefined] as const);
  if (given.some(([, value]) => value === undefined)) return undefined;
  const isError = resultMatcher.case === 'evalError' || resultMatcher.case === 'anyEvalErrors';
  const want = resultMatcher.case === 'value' ? wanted(resultMatcher.value) : resultMatcher.case === undefined ? 'true' : undefined;
  if (!isError && want === undefined) return undefined;
  try {
    const result = plan(celEnv(), parse(expr))(Object.fromEntries(given) as Record<string, CelInput>);
    return isCelError(result) ? isError : spell(result) === want;
  } catch {
    return isError;
  }
}

test('the library answers every case of the official suite that conditions are made of', () => {
  const parts = getConformanceSuite().suites.filter(({ name }) => PARTS.includes(name));
  const outcomes = parts.flatMap(testsOf).map((one) => ({ expr: one.expr, passed: passes(one) }));
  expect(outcomes.filter(({ passed }) => passed === true).length).toBeGreaterThan(900);
  expect(outcomes.filter(({ passed }) => passed === false).map(({ expr }) => expr)).toEqual([]);
});
