import { createRequire } from 'node:module';
import type * as PromClient from 'prom-client';

/**
 * The parts of prom-client that are used, each from its own file: the package as a whole loads `@opentelemetry/api` for
 * its default metrics, and nothing of that is to be loaded where no traces are wanted. The files are typed as what the
 * package exports under their names.
 */
const load = createRequire(import.meta.url);

export const Counter = load('prom-client/lib/counter') as typeof PromClient.Counter;
export const Gauge = load('prom-client/lib/gauge') as typeof PromClient.Gauge;
export const Histogram = load('prom-client/lib/histogram') as typeof PromClient.Histogram;
export const Registry = load('prom-client/lib/registry') as typeof PromClient.Registry;
