import type { TestProject } from 'vitest/node';
import { startOwnStack } from './own-stack.js';

declare module 'vitest' {
  interface ProvidedContext {
    demoStack: import('./demo-stack.js').DemoStack;
  }
}

/** One running demo for all files here. What a file changes in it, it changes on agents and servers of its own. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { up: _up, stop, ...stack } = await startOwnStack({ demo: true });
  project.provide('demoStack', stack);
  return stop;
}
