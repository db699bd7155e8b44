"""The front page of the demo: what to try as agent, as manager of mail and as administrator, in French."""

from pathlib import Path


ID, TITLE = "essayer", "Essayer iA.docs par e-mail"
ROOT = Path(__file__).resolve().parent.parent

PAGE = """
<p>Deux semaines de courrier d'une commune : tout est arrivé et parti par la passerelle, dans les états d'un jour ordinaire. Les e-mails que
vous envoyez ici ne quittent pas cette machine.</p>

<table class="table">
<thead><tr><th>Nom d'utilisateur</th><th>Mot de passe</th><th>Qui</th></tr></thead>
<tbody>
<tr><td><code>agent</code></td><td><code>demo-iadocs</code></td><td>Al Bert, employé de l'administration générale</td></tr>
<tr><td><code>agent2</code>, <code>agent3</code></td><td><code>demo-iadocs</code></td><td>Claire Fontaine et Samir Benali, urbanisme</td></tr>
<tr><td><code>chef</code></td><td><code>demo-iadocs</code></td><td>Martine Legrand, directrice générale et gestionnaire du courrier</td></tr>
<tr><td><code>admin</code></td><td><code>admin</code></td><td>l'administrateur du site</td></tr>
</tbody>
</table>
<p><a href="{path}/login">Se connecter</a> · pour changer d'utilisateur : <a href="{path}/logout">se déconnecter</a></p>

<h2>Comme agent : <code>agent</code></h2>
<ul>
<li><a href="{path}/@@my-mail">Mon courrier</a> : ouvrez un e-mail de la liste « À traiter », puis « Répondre ».</li>
<li><a href="{path}/outgoing-mail">Courrier sortant</a> : ouvrez un document, puis « Envoyer par e-mail ». Vous avez 30 secondes pour
annuler l'envoi.</li>
<li><a href="{path}/@@my-emails">Mes envois</a> : l'un est revenu en erreur, un autre attend le serveur du destinataire, un autre part
demain.</li>
<li><a href="{path}/@@my-forwards">Mes transferts</a> : un e-mail transféré comme texte attend une décision.</li>
</ul>

<h2>Comme gestionnaire du courrier : <code>chef</code></h2>
<ul>
<li><a href="{path}/@@mailbridge-inbox?state=open">E-mails entrants</a> à décider : chacun dit pourquoi il n'a pas été classé, et que faire.</li>
<li><a href="{path}/incoming-mail">Courrier entrant</a> : filtrez par service ou par agent ; attribuez ce qui n'a pas de service.</li>
<li><a href="{path}/@@mailbridge-outbox">Boîte d'envoi</a> de toute la commune. Le compte du CPAS est arrêté, parce que son mot de passe
est refusé : ses e-mails attendent, les autres partent.</li>
<li><a href="{path}/@@mailbridge-figures">Chiffres des 30 derniers jours</a>.</li>
</ul>

<h2>Comme administrateur : <code>admin</code></h2>
<ul>
<li><a href="{path}/@@mailbridge-setup">Connecter la messagerie</a> : une question par page, chaque réponse est essayée.</li>
<li><a href="{path}/@@mailbridge-accounts">Comptes SMTP</a> et leurs <a href="{path}/@@mailbridge-controlpanel">paramètres</a> ;
<a href="{path}/@@mailbridge-addresses">adresses</a> qui reçoivent le courrier ; <a href="{path}/@@mailbridge-history">qui a modifié quoi</a>.</li>
<li><a href="{path}/@@mailbridge-dry-run">Essai à blanc</a> : voyez ce que deviendrait un e-mail, sans le classer.</li>
</ul>

<h2>Faire arriver un e-mail</h2>
<p>Un serveur de messagerie remet les e-mails ainsi ; l'utilisateur <code>gateway</code> ne peut rien faire d'autre :</p>
<pre>cd {root}
curl -u gateway:demo-iadocs -H 'Content-Type: message/rfc822' \\
     -H 'X-Envelope-Recipient: in@bridge.test' -H 'X-Client-Address: 127.0.0.1' \\
     --data-binary @devel/redirected.eml {url}/@@mail-in</pre>
<p>Un document paraît dans le <a href="{path}/incoming-mail">courrier entrant</a>. Sans la ligne <code>X-Client-Address</code>, rien ne prouve
le transfert : l'e-mail attend en quarantaine (modifiez-en un mot d'abord, sinon il est reconnu).</p>

<h2>Voir ce qui est parti</h2>
<p>Le serveur de messagerie de la démonstration écoute sur <code>127.0.0.1:{smtp_port}</code> et garde ce qu'il prend dans
<code>{maildir}/new</code>. Il refuse <code>parti@…</code>, et demande à <code>…@greylisted.test</code> d'attendre.</p>
"""


def text(url: str, smtp_port: int, maildir: Path) -> str:
    """Return the page as HTML."""
    path = "/" + url.split("/", 3)[3]
    return PAGE.format(url=url, path=path, smtp_port=smtp_port, maildir=maildir, root=ROOT)
