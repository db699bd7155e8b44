"""The mail bridge of iA.docs: mail out under the right name, mail in as documents."""
