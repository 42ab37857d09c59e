import { factStoreContract } from './fact-store.contract.js';
import { FactShelves, memoryFacts } from './memory-facts.js';
import { source } from './running-sink.js';

factStoreContract('a memory', () => memoryFacts(new FactShelves(source)));
