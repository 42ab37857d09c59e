// A certificate for 127.0.0.1 and localhost, signed by itself and made anew for each run: no key in the repository, no
// openssl on the machine. DER by hand (X.690), the fields of RFC 5280.
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const tags = { integer: 0x02, bitString: 0x03, octetString: 0x04, utf8: 0x0c, sequence: 0x30, set: 0x31 } as const;
const utcTime = 0x17;
const boolTrue = Buffer.from([0x01, 0x01, 0xff]);
const oids = {
  ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
  commonName: [0x55, 0x04, 0x03],
  basicConstraints: [0x55, 0x1d, 0x13],
  subjectAltName: [0x55, 0x1d, 0x11],
} as const;

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const length = body.length < 0x100 ? [0x81, body.length] : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

function oid(bytes: readonly number[]): Buffer {
  return der(0x06, Buffer.from(bytes));
}

function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]/g, '').slice(2, 14);
  return der(utcTime, Buffer.from(`${digits}Z`, 'latin1'));
}

function extension(id: readonly number[], critical: boolean, value: Buffer): Buffer {
  return der(tags.sequence, oid(id), ...(critical ? [boolTrue] : []), der(tags.octetString, value));
}

export interface KeyAndCertificate {
  /** Both PEM. */
  readonly key: Buffer;
  readonly certificate: Buffer;
}

export function selfSignedCertificate(): KeyAndCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = der(tags.sequence, oid(oids.ecdsaWithSha256));
  const commonName = der(tags.sequence, oid(oids.commonName), der(tags.utf8, Buffer.from('localhost')));
  const name = der(tags.sequence, der(tags.set, commonName));
  const dayMs = 86_400_000;
  const names = der(
    tags.sequence,
    der(0x82, Buffer.from('localhost', 'latin1')),
    der(0x87, Buffer.from([127, 0, 0, 1])),
  );
  const extensions = der(
    tags.sequence,
    extension(oids.basicConstraints, true, der(tags.sequence, boolTrue)),
    extension(oids.subjectAltName, false, names),
  );
  const body = der(
    tags.sequence,
    der(0xa0, der(tags.integer, Buffer.from([2]))),
    der(tags.integer, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    name,
    der(tags.sequence, time(Date.now() - dayMs), time(Date.now() + dayMs)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  );
  const signature = der(tags.bitString, Buffer.from([0]), sign('sha256', body, privateKey));
  const certificate = der(tags.sequence, body, algorithm, signature);
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  const pem = ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
  return { certificate: Buffer.from(pem), key: Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })) };
}
