import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { PrismaClient, type Runner } from '@portcullis/database';
import { callingMachine, MachineDoor, machinesOnly } from '../http/machine-door.js';

/** The runners' own door: a runner's key passes, nothing else does. */
@Injectable()
export class RunnerGuard implements CanActivate {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(MachineDoor) private readonly door: MachineDoor,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    return this.door.admit(context, 'runner', (keyId) => this.database.runner.findUnique({ where: { keyId } }));
  }
}

/** Only a runner with its own key passes. */
export const RunnersOnly = machinesOnly('runner', RunnerGuard);

/** The runner that sent the request; only on routes behind the runners' door. */
export const CallingRunner = callingMachine<Runner>();
