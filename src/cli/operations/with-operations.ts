// The operator's commands work on a running service (--url, --key) or straight on the engines of a stopped one.
import type { Command } from 'commander';
import { HttpOperations } from '../../service/operations/http-operations.js';
import type { Operations } from '../../service/operations/operations.js';

interface Target {
  readonly url?: string;
  readonly key?: string;
}

export function takesTarget(command: Command): Command {
  return command
    .option('--url <url>', 'of a running service, such as http://127.0.0.1:3000')
    .option('--key <key>', 'with scope admin, for --url');
}

export interface WithOperations {
  /** The projections must run for it, so where no service does, they run here. */
  readonly projecting?: boolean;
}

export async function withOperations(
  command: Command,
  use: (operations: Operations) => Promise<void>,
  { projecting = false }: WithOperations = {},
): Promise<void> {
  const { url, key } = command.opts<Target>();
  if (url !== undefined) return await use(new HttpOperations(url, key ?? ''));
  // Whoever asks a running service does not wait until a whole one is loaded.
  const { onStoppedService } = await import('./on-stopped-service.js');
  await onStoppedService(use, projecting);
}
