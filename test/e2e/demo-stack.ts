import { type ApiClient, createApiClient } from '@portcullis/api-client';
import { inject } from 'vitest';
import type { OwnStack } from './own-stack.js';

export type DemoStack = Omit<OwnStack, 'up' | 'stop'>;

/** The demo that runs beside the tests of this folder: two nodes, six servers, four agents. */
export const demoStack = (): DemoStack => inject('demoStack');

export const apiOf = ({ controlPlaneUrl, operatorToken }: Pick<DemoStack, 'controlPlaneUrl' | 'operatorToken'>): ApiClient =>
  createApiClient({ baseUrl: controlPlaneUrl, token: operatorToken });

/** What the demo's operator granted at servers that run from the start, by the names under which each agent sees it. */
export const demoGrants = {
  'code-review-agent': ['github__create_issue'],
  'data-agent': ['postgres__query', 'postgres__schema'],
  'comms-agent': ['slack__list_channels', 'slack__post_message'],
} as const;

let counter = 0;
/** A slug that no other test uses. */
export const freshSlug = (word: string): string => `${word}-${process.pid.toString(36)}-${(counter += 1)}`;
