/** Names of services, secrets, configs and networks. The texts are Docker's. */
import { invalid } from './refusal.ts';

/** A component of a domain name that may also hold underscores inside. */
const DNS_COMPONENT = /^[a-zA-Z0-9](?:[a-zA-Z0-9_-]*[a-zA-Z0-9])?$/;
const MAX_DNS_COMPONENT = 63;

const FILE_LIKE = /^[a-zA-Z0-9](?:[a-zA-Z0-9_.-]*[a-zA-Z0-9])?$/;
const MAX_FILE_LIKE = 64;

/** Services and networks are found by their names in DNS. */
export function validateDnsName(name: string): void {
  if (name === '') throw invalid('name must be provided');
  if (!DNS_COMPONENT.test(name)) throw invalid('name must be valid as a DNS name component');
  if (name.length > MAX_DNS_COMPONENT) throw invalid(`name must be ${MAX_DNS_COMPONENT} characters or fewer`);
}

/** Secrets and configs become files. */
export function validateFileLikeName(name: string): void {
  if (name === '') throw invalid('name must be provided');
  if (name.length > MAX_FILE_LIKE || !FILE_LIKE.test(name)) {
    throw invalid(
      'invalid name, only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end character must be [a-zA-Z0-9]',
    );
  }
}
