import { randomUUID } from 'node:crypto';
import { runnerTokenPlace } from '@portcullis/contracts/credentials';
import { createSealer, newSealingKey } from '@portcullis/secrets';
import { expect, test } from 'vitest';
import { aServer } from '../../testing/policy-builders.js';
import { sealedCredentials } from '../../testing/sealed-credentials.js';

const sealer = createSealer({ current: newSealingKey() });
const placeOf = (version = 1) => {
  const place = { runnerId: randomUUID(), version };
  return { ...place, sealed: sealer.seal('the-token', runnerTokenPlace(place, 'nodes')) };
};

test('a call to a runner goes with its token and the agent it is for, and other servers with nothing', async () => {
  const { credentials } = sealedCredentials({ sealer: () => sealer });
  const server = { ...aServer('hosted', []), place: placeOf() };
  const alice = credentials.of(server, 'alice');
  expect(await alice?.obtain()).toEqual(['authorization', 'Bearer the-token', 'portcullis-agent', 'alice']);
  expect(credentials.of(server, 'bob')?.current()).toContain('bob');
  expect(credentials.of(server, 'alice')).toBe(alice); // made once, not for each call
  expect(credentials.of(aServer('plain', []), 'alice')).toBeUndefined();
});

test('a place that was sealed for another runner or version opens nothing, and keys are asked for', () => {
  let asked = 0;
  const { credentials } = sealedCredentials({ sealer: () => sealer, onUnopened: () => (asked += 1) });
  for (const forged of [
    { ...placeOf(), runnerId: randomUUID() },
    { ...placeOf(), version: 2 },
  ]) {
    const credential = credentials.of({ ...aServer('hosted', []), place: forged }, 'alice');
    expect(() => credential?.current()).toThrow('upstream.credential');
  }
  expect(asked).toBe(2);
});

test('a server that moved to another runner has another credential, so that no session is gone on with', () => {
  const { credentials } = sealedCredentials({ sealer: () => sealer });
  const [before, after] = [placeOf(), placeOf()].map((place) => credentials.of({ ...aServer('hosted', []), place }, 'alice')?.name);
  expect(before).not.toBe(after);
});
