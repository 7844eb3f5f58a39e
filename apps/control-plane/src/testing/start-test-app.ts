import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { PrismaClient, type OperatorRole } from '@portcullis/database';
import { hashBearer, newBearer } from '@portcullis/secrets';
import { freshDatabase } from '@portcullis/testing';
import type { Config } from '../config.js';
import { createApp } from '../create-app.js';
import { KeyRing } from '../keys/key-ring.js';

/** An answer of the API under test. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
  readonly body: any;
  readonly text: string;
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A control plane on a database of its own, called without a socket. */
export interface TestApp {
  readonly app: NestFastifyApplication;
  readonly config: Config;
  readonly database: PrismaClient;
  /** Tokens that pass the operators' door. */
  readonly admin: string;
  readonly auditor: string;
  /** Sends JSON as the administrator, or with `token` (null: none). What is changed is changed whatever it is by then. */
  call(method: Method, url: string, body?: unknown, token?: string | null): Promise<Answer>;
  /** The same as the administrator with these headers, and no others than it takes. */
  callWith(headers: Readonly<Record<string, string>>, method: Method, url: string, body?: unknown): Promise<Answer>;
  close(): Promise<void>;
}

export async function startTestApp(overrides: Partial<Config> = {}): Promise<TestApp> {
  const own = await freshDatabase();
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-control-plane-'));
  const tokenFile = join(directory, 'token');
  const config: Config = {
    host: '127.0.0.1',
    port: 0,
    healthHost: '127.0.0.1',
    healthPort: 0,
    logLevel: 'silent',
    databaseUrl: own.url,
    redisUrl: 'redis://127.0.0.1:1', // nobody listens there: tests that need Redis give their own
    masterKey: randomBytes(32),
    bootstrapTokenFile: tokenFile,
    ...overrides,
  };
  const app = await createApp(config, false);
  const admin = (await readFile(tokenFile, 'utf8')).trim();
  const send = async (given: Readonly<Record<string, string>>, method: Method, url: string, body?: unknown): Promise<Answer> => {
    const headers = body === undefined ? given : { 'content-type': 'application/json', ...given };
    const payload = body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) };
    const answer = await app.inject({ method, url, headers, ...payload });
    const isJson = /[+/]json\b/.test(String(answer.headers['content-type']));
    return { status: answer.statusCode, headers: answer.headers, text: answer.payload, body: isJson ? answer.json() : undefined };
  };
  const call: TestApp['call'] = (method, url, body, token = admin) => {
    const whatever: Record<string, string> = ['GET', 'POST'].includes(method) ? {} : { 'if-match': '*' };
    return send(token === null ? whatever : { authorization: `Bearer ${token}`, ...whatever }, method, url, body);
  };
  const callWith: TestApp['callWith'] = (headers, method, url, body) => send({ authorization: `Bearer ${admin}`, ...headers }, method, url, body);
  const close = async (): Promise<void> => {
    await app.close();
    await own.drop();
    await rm(directory, { recursive: true, force: true });
  };
  return { app, config, database: app.get(PrismaClient), admin, auditor: await newOperatorToken(app, 'auditor'), call, callWith, close };
}

/** A token of a new operator with this role. */
export async function newOperatorToken(app: NestFastifyApplication, role: OperatorRole): Promise<string> {
  const { id, secret, token } = newBearer('operator');
  const pepper = app.get(KeyRing).currentPepper();
  const data = { id, hash: hashBearer(pepper.key, secret), pepperId: pepper.id };
  await app.get(PrismaClient).operator.create({ data: { name: `${role}-${id}`, role, tokens: { create: data } } });
  return token;
}
