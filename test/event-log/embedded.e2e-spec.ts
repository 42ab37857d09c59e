// The embedded log keeps the contract. Small files and small index runs, so that every rule crosses their borders.
import { EmbeddedEventLog } from '../../src/event-log/embedded/embedded-event-log.js';
import { eventLogContract, type LogFactory } from './event-log.contract.js';
import { type TemporaryDirectory, temporaryDirectory } from './temporary-directory.js';

function embedded(options: { readonly segmentBytes?: number; readonly indexRunEvents?: number }): LogFactory {
  const appendBytesMax = 256 * 1024;
  let directory: TemporaryDirectory;
  let log: EmbeddedEventLog;
  const open = async (): Promise<EmbeddedEventLog> => {
    log = await EmbeddedEventLog.open(directory.path, { ...options, appendBytesMax });
    return log;
  };
  return {
    appendBytesMax,
    allOrNothing: true,
    open: () => {
      directory = temporaryDirectory();
      return open();
    },
    restart: async () => {
      await log.close();
      return open();
    },
    close: async () => {
      await log.close();
      directory.remove();
    },
  };
}

eventLogContract('the embedded log', embedded({}));
eventLogContract('the embedded log with tiny files', embedded({ segmentBytes: 20_000, indexRunEvents: 16 }));
