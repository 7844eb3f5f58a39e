import { Logger, type Provider, type Type } from '@nestjs/common';
import { BackgroundLoop, type BackgroundWork } from './background-loop.js';

/** Token of what gives a service its turns. */
export const loopOf = (service: Type<BackgroundWork>): string => `BackgroundLoop of ${service.name}`;

/** Providers for a service that has its turn again and again while the application runs: itself, and what starts and stops it. `name` is its logger's. */
export function inBackground(service: Type<BackgroundWork>, name: string): Provider[] {
  const useFactory = (work: BackgroundWork): BackgroundLoop => new BackgroundLoop(new Logger(name), work);
  return [service, { provide: loopOf(service), inject: [service], useFactory }];
}
