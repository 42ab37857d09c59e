// A service in the foreground: says where it is, and ends when it is told to.
import type { Config } from '../config.js';
import { type Service, type ServiceOptions, startService } from './service.js';

/** Exit code when a clean stop took too long and was given up. */
const stopTimedOut = 70;

export function describe({ url, dashboardUrl, madeKeys }: Service, { dataDir, masterKeyMade }: Config): string {
  const keys = madeKeys.map(({ scopes, token }) => `  ${scopes.join(',').padEnd(8)} ${token}`);
  return [
    `Homing is up.`,
    `  API        ${url}/v1`,
    `  OpenAPI    ${url}/docs  (${url}/openapi.json)`,
    ...(dashboardUrl === undefined ? [] : [`  Dashboard  ${dashboardUrl}`]),
    `  Data       ${dataDir}`,
    ...(masterKeyMade ? [`  Master key ${dataDir}/master.key was made: without it personal texts cannot be read`] : []),
    ...(keys.length > 0 ? ['First API keys, shown this once (more: homing keys create):', ...keys] : []),
    '',
  ].join('\n');
}

/** Resolves when the process is told to stop; a second signal ends it at once. */
function toldToStop(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
}

/** Closes the service, and gives up the process when that takes too long. */
export async function stopWithin(service: Service, msMax: number): Promise<void> {
  const timer = setTimeout(() => {
    process.stderr.write(`homing: not stopped after ${msMax} ms, giving up\n`);
    process.exit(stopTimedOut);
  }, msMax);
  await service.close();
  clearTimeout(timer);
}

export async function runUntilStopped(config: Config, options: ServiceOptions = {}): Promise<void> {
  const stop = toldToStop();
  const service = await startService(config, options);
  process.stdout.write(describe(service, config));
  await stop;
  await stopWithin(service, config.shutdownMsMax);
  process.exit(0);
}
