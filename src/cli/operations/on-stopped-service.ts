// The engines of a stopped service, opened by the command line itself and closed when it is done.
import type { Logger } from 'pino';
import { type Config, readConfig } from '../../config.js';
import { LogLocked } from '../../event-log/event-log.js';
import { makeLogger } from '../../http/operation/log.js';
import { DocumentProjector } from '../../projector/builds/document-projector.js';
import { FactsProjector } from '../../projector/clickhouse/facts-projector.js';
import { CannotGoBack } from '../../projector/operation/operations.js';
import { type Engines, Opened, openEngines, reportTo } from '../../service/engines.js';
import { factsProjectorOptions } from '../../service/facts.js';
import type { Operations } from '../../service/operations/operations.js';
import { localOperations } from '../../service/operations/operations.module.js';
import { documentProjectorOptions } from '../../service/projections.js';
import { openWriteSide, type WriteSide } from '../../service/write-side.js';

/**
 * @param projecting whether the projections run meanwhile
 * @throws Error that says what to do when a service runs on them
 */
export async function onStoppedService(
  use: (operations: Operations) => Promise<void>,
  projecting: boolean,
): Promise<void> {
  const config = readConfig();
  const logger = makeLogger('warn');
  const opened = new Opened();
  try {
    const engines = await openEngines(config, logger, opened);
    const writeSide = await openWriteSide(config, engines, logger, opened);
    if (projecting) project(config, engines, writeSide, logger, opened);
    await use(localOperations(config, engines, writeSide));
  } catch (error) {
    if (error instanceof CannotGoBack) throw new Error(`${error.code}: ${error.message}`, { cause: error });
    if (!(error instanceof LogLocked)) throw error;
    throw new Error(
      `${error.message}, a running service: say where it is (--url http://127.0.0.1:3000 --key <admin key>)`,
    );
  } finally {
    await opened.close((name, error) => logger.error({ err: error, part: name }, 'did not close cleanly'));
  }
}

/** As the service would, until it is closed. */
function project(config: Config, engines: Engines, writeSide: WriteSide, logger: Logger, opened: Opened): void {
  const report = reportTo(logger, 'projector');
  const again = (error: unknown) => report('warn', error instanceof Error ? error.message : String(error));
  const documents = new DocumentProjector({
    ...documentProjectorOptions(config, engines, writeSide),
    listener: { stuck: (_, error) => report('error', error.message), fault: again },
  });
  documents.start();
  opened.add('documents', () => documents.close());
  if (!engines.clickhouse) return;
  const listener = { fault: again, told: (message: string) => report('info', message) };
  const facts = new FactsProjector({ ...factsProjectorOptions(config, engines, writeSide), listener });
  facts.start();
  opened.add('facts', () => facts.close());
}
