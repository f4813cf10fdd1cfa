/**
 * Whether a text names a container image: `[registry[:port]/]path[:tag][@digest]`, with the leading part taken for a
 * registry only if it looks like a host, as Docker does.
 */
const DOMAIN_COMPONENT = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const DOMAIN = new RegExp(`^(?:\\[[a-fA-F0-9:]+\\]|${DOMAIN_COMPONENT}(?:\\.${DOMAIN_COMPONENT})*)(?::[0-9]+)?$`);
const PATH_COMPONENT = /^[a-z0-9]+(?:(?:\.|__|_|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const MAX_NAME_LENGTH = 255;
const MAX_REFERENCE_LENGTH = 1024;

export function isImageReference(text: string): boolean {
  if (text.length > MAX_REFERENCE_LENGTH || /^[a-f0-9]{64}$/.test(text)) return false;
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const tagged = at < 0 ? text : text.slice(0, at);
  if (digest !== undefined && !DIGEST.test(digest)) return false;

  const { domain, rest } = splitDomain(tagged);
  const colon = rest.indexOf(':');
  const path = colon < 0 ? rest : rest.slice(0, colon);
  if (colon >= 0 && !TAG.test(rest.slice(colon + 1))) return false;
  if (domain !== undefined && !DOMAIN.test(domain)) return false;
  const nameLength = path.length + (domain === undefined ? 0 : domain.length + 1);
  return nameLength <= MAX_NAME_LENGTH && path.split('/').every((component) => PATH_COMPONENT.test(component));
}

function splitDomain(text: string): { readonly domain: string | undefined; readonly rest: string } {
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(slash, 0));
  const looksLikeHost = first === 'localhost' || /[.:]/.test(first) || first !== first.toLowerCase();
  return slash > 0 && looksLikeHost
    ? { domain: first, rest: text.slice(slash + 1) }
    : { domain: undefined, rest: text };
}
