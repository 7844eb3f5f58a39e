import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { loadConfig } from './config.js';

const masterKey = randomBytes(32).toString('base64url');

test('an environment that cannot be used is refused with all its faults at once, and no value in them', () => {
  const env = { PORT: '70000', DATABASE_URL: 'mysql://root:hunter2@db', PORTCULLIS_MASTER_KEY: masterKey };
  const attempt = (): unknown => loadConfig(env);
  expect(attempt).toThrow(/PORT/);
  expect(attempt).toThrow(/DATABASE_URL/);
  expect(attempt).toThrow(/REDIS_URL/);
  expect(attempt).not.toThrow(/hunter2/);
});

test('what is left out has a safe default: loopback alone', () => {
  const config = loadConfig({
    DATABASE_URL: 'postgresql://db/x',
    REDIS_URL: 'redis://:pass@cache',
    PORTCULLIS_MASTER_KEY: masterKey,
  });
  expect(config).toMatchObject({ host: '127.0.0.1', port: 3000, healthHost: '127.0.0.1', healthPort: 9100, logLevel: 'info' });
});

test('operators sign in elsewhere only where it is said for whom their tokens are and which claims make which role', () => {
  const env = {
    DATABASE_URL: 'postgresql://db/x',
    REDIS_URL: 'rediss://cache',
    PORTCULLIS_MASTER_KEY: masterKey,
    OPERATOR_OIDC_ISSUER: 'https://idp.test',
  };
  expect(() => loadConfig(env)).toThrow(/OPERATOR_OIDC_AUDIENCE.*[^]*OPERATOR_OIDC_ROLES/);
  const whole = { ...env, OPERATOR_OIDC_AUDIENCE: 'https://control.test', OPERATOR_OIDC_ROLES: 'cn=ops,ou=x=admin' };
  expect(() => loadConfig(whole)).toThrow(/OPERATOR_OIDC_ROLES/);
  const { operatorOidc } = loadConfig({ ...whole, OPERATOR_OIDC_ROLES: 'team=ops=admin, security=auditor' });
  const roles = [
    { value: 'team=ops', role: 'admin' },
    { value: 'security', role: 'auditor' },
  ];
  expect(operatorOidc).toMatchObject({ issuer: 'https://idp.test', audience: 'https://control.test', roleClaim: 'roles', roles });
  for (const wrong of [{ OPERATOR_OIDC_ALGORITHMS: 'HS256' }, { OPERATOR_OIDC_ALGORITHMS: 'none' }, { OPERATOR_OIDC_ISSUER: 'http://idp.test' }])
    expect(() => loadConfig({ ...whole, OPERATOR_OIDC_ROLES: 'a=admin', ...wrong })).toThrow(/OPERATOR_OIDC/);
});
