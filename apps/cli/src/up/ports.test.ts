import { freePort } from '@portcullis/local-services';
import { createServer } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodesMax, portsFrom, refuseTakenPorts } from './ports.js';

const numbersIn = (value: unknown): number[] =>
  typeof value === 'number' ? [value] : typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbersIn) : [];

describe('ports', () => {
  it('never collide with one another, nor with a stack a hundred further', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1024, max: 65_400 }), fc.integer({ min: 1, max: nodesMax }), (base, nodes) => {
        const ports = numbersIn(portsFrom(base, nodes));
        expect(new Set(ports).size).toBe(ports.length);
        expect(ports.every((port) => port >= base && port < base + 100)).toBe(true);
      }),
    );
  });

  it('that are taken are named with what they are for and what to do', async () => {
    const server = createServer();
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    try {
      const needed = [['the control plane', port] as const, ['Redis', await freePort()] as const];
      await expect(refuseTakenPorts(needed, 7400)).rejects.toThrow(
        `Port ${port} (meant for the control plane) of 127.0.0.1 is taken by another program. Stop it, or choose other ports with --port-base 7500.`,
      );
    } finally {
      server.close();
    }
  });
});
