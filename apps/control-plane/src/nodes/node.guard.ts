import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Node } from '@portcullis/database';
import { callingMachine, MachineDoor, machinesOnly } from '../http/machine-door.js';
import { NodesRepository } from './nodes.repository.js';

/** The nodes' own door: a node's key passes, nothing else does. */
@Injectable()
export class NodeGuard implements CanActivate {
  constructor(
    @Inject(NodesRepository) private readonly nodes: NodesRepository,
    @Inject(MachineDoor) private readonly door: MachineDoor,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    return this.door.admit(context, 'node', (keyId) => this.nodes.byKeyId(keyId));
  }
}

/** Only a node with its own key passes. */
export const NodesOnly = machinesOnly('node', NodeGuard);

/** The node that sent the request; only on routes behind the nodes' door. */
export const CallingNode = callingMachine<Node>();
