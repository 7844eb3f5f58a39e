import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLogger } from './create-logger.js';

const bearer = `gw_abcdefghijklmnop_${'Zz09-_'.repeat(7)}A`;

test('an event is one JSON line with level, time, process and message', () => {
  const { logger, lines } = open();
  logger.info({ serverId: 's1', port: 8080 }, 'Listening');
  expect(lines()).toEqual([expect.objectContaining({ level: 'info', process: 'gateway', serverId: 's1', port: 8080, msg: 'Listening' })]);
  expect(lines()[0]?.time).toMatch(/^\d{4}-\d\d-\d\dT/);
});

test('fields named like secrets are masked at any depth, counts are not', () => {
  const { logger, raw, lines } = open();
  const names = [
    'authorization',
    'Authorization',
    'set-cookie',
    'token',
    'accessToken',
    'client_secret',
    'password',
    'key',
    'privateKey',
    'api-key',
    'pepper',
  ];
  for (const name of names) logger.info({ [name]: 'hunter2', deep: { list: [{ [name]: { inner: 'hunter2' } }] } });
  logger
    .child({ token: 'hunter2' })
    .child({ deep: { token: 'hunter2' } })
    .info('child');
  expect(raw()).not.toContain('hunter2');
  logger.info({ inputTokens: 12, keyId: 'k1' });
  expect(lines().at(-1)).toMatchObject({ inputTokens: 12, keyId: 'k1' });
});

test('secrets inside text are masked wherever they stand', () => {
  const { logger, raw } = open();
  const url = 'postgres://portcullis:swordfish@127.0.0.1/db';
  logger.info(bearer);
  logger.info({ note: `sent ${bearer}!`, [bearer]: 1 }, 'with %s', bearer);
  logger.info({ headers: { x: 'Bearer abc.def.ghi-jkl' } }, url);
  logger.error(new Error(`refused ${bearer} at ${url}`, { cause: new Error(bearer) }));
  logger.child({ note: bearer }).info('child');
  expect(raw()).not.toMatch(/Zz09|swordfish|abc\.def/);
  expect(raw()).toContain('gw_abcdefghijklmnop_[redacted]');
});

test('a bearer secret across the edge of the cap is not shown in part', () => {
  const { logger, raw } = open();
  for (let pad = 4000; pad < 4100; pad += 7) logger.info({ text: `${'x '.repeat(pad / 2)}${bearer}${' y'.repeat(5000)}` });
  for (let pad = 8100; pad < 8200; pad += 7) logger.info({ text: `${'x '.repeat(pad / 2)}${bearer}` });
  expect(raw()).not.toContain('Zz09');
});

test('each text is capped at 4 KiB and each line stays short', () => {
  const { logger, lines, raw } = open();
  logger.info({ big: 'é'.repeat(1_000_000), many: Array.from({ length: 10_000 }, () => 'v') }, 'm'.repeat(1_000_000));
  const [line] = lines();
  expect(Buffer.byteLength(String(line?.big))).toBeLessThanOrEqual(4096);
  expect(Buffer.byteLength(String(line?.msg))).toBeLessThanOrEqual(4096);
  expect(raw().length).toBeLessThan(20_000);
});

test('foreign text cannot begin a line or a second level of its own', () => {
  const { logger, lines, raw } = open();
  const forged = 'a\r\n{"level":"fatal"}\u2028"}{"level":"x"\u001b[31m';
  logger.info({ level: 'fatal', time: 'never', forged, [forged]: 1 }, forged);
  expect(
    raw()
      .trimEnd()
      .split(/[\n\r\u2028\u2029]/),
  ).toHaveLength(1);
  expect(raw()).not.toContain('\u001b');
  expect(lines()[0]).toMatchObject({ level: 'info', level_: 'fatal', forged, msg: forged });
});

test('an error is told with its chain of causes and own fields', () => {
  const { logger, lines } = open();
  const cause = Object.assign(new Error('connect refused'), { code: 'ECONNREFUSED' });
  logger.error({ err: new TypeError('fetch failed', { cause }) }, 'Upstream failed');
  logger.error(new AggregateError([cause], 'all failed'));
  expect(lines()[0]).toMatchObject({ msg: 'Upstream failed', err: { type: 'TypeError', message: 'fetch failed', cause: { code: 'ECONNREFUSED' } } });
  expect(lines()[0]).toHaveProperty('err.stack');
  expect(lines()[1]).toMatchObject({ msg: 'all failed', err: { errors: [{ message: 'connect refused' }] } });
});

test('whatever is thrown at it, logging does not throw and writes one line', () => {
  const circular: Record<string, unknown> = { a: 1 };
  circular.self = circular;
  const looped = new Error('loop');
  looped.cause = looped;
  const huge = new Error('huge');
  huge.stack = 'x'.repeat(5_000_000);
  const toJson = { toJSON: () => { throw new Error('no'); } }; // prettier-ignore
  const accessor = Object.defineProperty({}, 'x', { enumerable: true, get: () => { throw new Error('no'); } }); // prettier-ignore
  const proxy = new Proxy({}, { get: fail, ownKeys: fail, getPrototypeOf: fail, has: fail, getOwnPropertyDescriptor: fail });
  const nameless = Object.assign(Object.create(null) as object, { y: 1 });
  const things = [
    undefined,
    null,
    0,
    '',
    'text',
    1n,
    Symbol('s'),
    () => 1,
    circular,
    looped,
    huge,
    toJson,
    accessor,
    proxy,
    nameless,
    [],
    new Date(NaN),
    new Map(),
  ];
  for (const thing of things) {
    const { logger, raw } = open();
    const anything = thing as object; // what a catch clause may hold
    logger.error(anything);
    logger.error({ err: thing }, 'thrown');
    logger.error({ thing, nested: [thing] }, 'with %s %o %j', anything, anything, anything);
    expect(raw().trimEnd().split('\n')).toHaveLength(3);
    for (const line of raw().trimEnd().split('\n')) expect(() => JSON.parse(line) as unknown).not.toThrow();
  }
});

test('any value makes one line of JSON', () => {
  fc.assert(
    fc.property(
      fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withTypedArray: true, withSparseArray: true }),
      (value) => {
        const { logger, lines } = open();
        logger.info({ value }, 'm');
        expect(lines()).toHaveLength(1);
      },
    ),
  );
});

function fail(): never {
  throw new Error('trap');
}

function open() {
  let written = '';
  const logger = createLogger({ name: 'gateway' }, { write: (line: string) => void (written += line) });
  const raw = () => written;
  const lines = () => written.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>); // prettier-ignore
  return { logger, raw, lines };
}
