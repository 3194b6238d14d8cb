/* Passkeys: a form with data-passkey asks the server what to ask the browser, and sends the browser's answer along. */
import { on, one, post, word } from "./10-core.js";

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const listed = (rows) => rows?.map((row) => ({ ...row, id: bytes(row.id) }));

async function made(asked) {
  const publicKey = {
    ...asked,
    challenge: bytes(asked.challenge),
    user: { ...asked.user, id: bytes(asked.user.id) },
    excludeCredentials: listed(asked.excludeCredentials) ?? [],
  };
  const found = await navigator.credentials.create({ publicKey });
  return {
    ...named(found),
    response: {
      clientDataJSON: text(found.response.clientDataJSON),
      attestationObject: text(found.response.attestationObject),
    },
  };
}

async function shown(asked) {
  const publicKey = { ...asked, challenge: bytes(asked.challenge), allowCredentials: listed(asked.allowCredentials) };
  const found = await navigator.credentials.get({ publicKey });
  const { authenticatorData, clientDataJSON, signature, userHandle } = found.response;
  return {
    ...named(found),
    response: {
      authenticatorData: text(authenticatorData),
      clientDataJSON: text(clientDataJSON),
      signature: text(signature),
      ...(userHandle ? { userHandle: text(userHandle) } : {}),
    },
  };
}

const named = (found) => ({ id: found.id, rawId: text(found.rawId), type: found.type, clientExtensionResults: {} });

function tell(form, words) {
  const place = one("[data-passkey-says]", form);
  place.textContent = words;
  place.hidden = false;
}

on("submit", "form[data-passkey]", async (event, form) => {
  if (one("input[name=answer]", form).value) return;
  event.preventDefault();
  if (!window.PublicKeyCredential) {
    tell(form, word("noPasskeys", "This browser has no passkeys."));
    return;
  }
  try {
    const response = await post(form.dataset.passkey);
    if (!response.ok || !response.headers.get("Content-Type")?.includes("json")) throw new Error(response.statusText);
    const { publicKey } = await response.json();
    const answer = await (form.dataset.passkeyNew === undefined ? shown(publicKey) : made(publicKey));
    one("input[name=answer]", form).value = JSON.stringify(answer);
    form.requestSubmit();
  } catch {
    tell(form, word("notShown", "That did not work. Try again, or choose another way."));
  }
});
