import type { ActionResult } from './action.ts';

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';

/** An answer in the AWS Query protocol (STS API reference). */
export function answerXml(action: string, result: ActionResult, requestId: string): string {
  return `<${action}Response xmlns="${NAMESPACE}">
  <${action}Result>
${membersXml(result, '    ')}  </${action}Result>
  <ResponseMetadata>
    <RequestId>${escapeXml(requestId)}</RequestId>
  </ResponseMetadata>
</${action}Response>
`;
}

/** An error of the caller's, or with status 500 of ours. */
export function errorXml(code: string, message: string, status: number, requestId: string): string {
  return `<ErrorResponse xmlns="${NAMESPACE}">
  <Error>
    <Type>${status < 500 ? 'Sender' : 'Receiver'}</Type>
    <Code>${escapeXml(code)}</Code>
    <Message>${escapeXml(message)}</Message>
  </Error>
  <RequestId>${escapeXml(requestId)}</RequestId>
</ErrorResponse>
`;
}

function membersXml(result: ActionResult, indent: string): string {
  const lines = Object.entries(result).map(([name, value]) => {
    if (value === undefined) return '';
    if (typeof value === 'string') return `${indent}<${name}>${escapeXml(value)}</${name}>\n`;
    return `${indent}<${name}>\n${membersXml(value, `${indent}  `)}${indent}</${name}>\n`;
  });
  return lines.join('');
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

function escapeXml(text: string): string {
  // XML 1.0 knows no other control characters, not even escaped.
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"']/g, (one) => ESCAPES[one] ?? one);
}
