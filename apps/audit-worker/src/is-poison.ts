/** SQLSTATE classes that say "this value cannot be stored": data exceptions, failed checks, too deep nesting. */
const POISON = /^(?:22|23514|23502|54)/;

/** Whether Postgres refused the data itself, so that trying again is useless. Everything else may pass. */
export function isPoison(error: unknown): boolean {
  for (let cause = error; typeof cause === 'object' && cause !== null; cause = nextOf(cause)) {
    const { originalCode, code } = cause as { originalCode?: unknown; code?: unknown };
    for (const candidate of [originalCode, code]) if (typeof candidate === 'string' && POISON.test(candidate)) return true;
  }
  return false;
}

function nextOf(error: object): unknown {
  const { meta, driverAdapterError, cause } = error as { meta?: unknown; driverAdapterError?: unknown; cause?: unknown };
  return meta ?? driverAdapterError ?? cause;
}
