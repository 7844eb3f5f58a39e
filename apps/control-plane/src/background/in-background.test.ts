import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { expect, test, vi } from 'vitest';
import type { BackgroundWork } from './background-loop.js';
import { inBackground } from './in-background.js';

class Counting implements BackgroundWork {
  readonly everyMs = 1;
  readonly complaint = 'It does not count';
  turns = 0;
  underWay = 0;
  stopping: AbortSignal | undefined;

  async turn(stopping: AbortSignal): Promise<void> {
    this.stopping = stopping;
    this.underWay += 1;
    await new Promise((resolve) => setImmediate(resolve));
    this.turns += 1;
    this.underWay -= 1;
  }
}

class CountingModule {}
Module({ providers: inBackground(Counting, 'counting') })(CountingModule);

test('a service has its turns from when the application runs until it closes, which waits for the last one', async () => {
  const app = await NestFactory.createApplicationContext(CountingModule, { logger: false });
  const counting = app.get(Counting);
  await vi.waitFor(() => expect(counting.turns).toBeGreaterThan(2));
  await app.close();
  const { turns } = counting;
  expect([counting.underWay, counting.stopping?.aborted]).toEqual([0, true]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(counting.turns).toBe(turns);
});
