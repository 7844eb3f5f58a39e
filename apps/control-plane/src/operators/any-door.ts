import type { INestApplicationContext } from '@nestjs/common';
import { PrismaClient } from '@portcullis/database';
import type { FastifyRequest } from 'fastify';
import { bearerOf } from '../http/access.guard.js';
import { requireHolder } from '../http/require-holder.js';
import { KeyRing } from '../keys/key-ring.js';
import { JoinTokens } from '../nodes/join-tokens.js';
import { FailedSignIns } from './failed-sign-ins.js';
import { OperatorTokens } from './operator-tokens.js';

const doors = [
  ['/v1/node/enrol', 'join'],
  ['/v1/runner/enrol', 'join'],
  ['/v1/node/', 'node'],
  ['/v1/runner/', 'runner'],
] as const;

/** Lets pass whoever holds a key to the door that routes at this path are behind, whatever it permits. Refuses (401, 429) as the guards do. */
export async function passAnyDoor(app: INestApplicationContext, request: FastifyRequest, path: string): Promise<unknown> {
  const [, door] = doors.find(([prefix]) => path.startsWith(prefix)) ?? ['', 'operator' as const];
  const token = bearerOf(request);
  const [database, keys] = [app.get(PrismaClient), app.get(KeyRing)];
  const holders = {
    operator: () => app.get(OperatorTokens).authenticate(token),
    node: () => requireHolder('node', token, keys, (keyId) => database.node.findUnique({ where: { keyId } })),
    runner: () => requireHolder('runner', token, keys, (keyId) => database.runner.findUnique({ where: { keyId } })),
    join: () => app.get(JoinTokens).holderOf(path === '/v1/node/enrol' ? 'node' : 'runner', token),
  };
  return app.get(FailedSignIns).attempt(request, { door, token }, () => holders[door]() as Promise<unknown>);
}
