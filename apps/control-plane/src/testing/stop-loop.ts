import type { Type } from '@nestjs/common';
import type { BackgroundLoop, BackgroundWork } from '../background/background-loop.js';
import { loopOf } from '../background/in-background.js';
import type { TestApp } from './start-test-app.js';

/** From now on this is done only where the test has it done: nothing happens beside it, nor because a test takes long. */
export const stopLoop = (own: TestApp, service: Type<BackgroundWork>): Promise<void> => own.app.get<BackgroundLoop>(loopOf(service)).stop();
