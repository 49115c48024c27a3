"""The JDK: version, tools, modules, certificate authorities."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from buildgraph.adapters.fixtures import wait_until

if TYPE_CHECKING:
    from buildgraph.adapters.fixtures import Host, Run, Start

BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
STORE = "/opt/java/lib/security/cacerts"
HELLO = """
class Hello {
    public static void main(String[] a) { System.out.println("hello " + Runtime.version().feature()); }
}
"""
WAIT = "class Wait { public static void main(String[] a) throws Exception { Thread.sleep(60_000); } }"

# A client and a server on the loopback: prints the protocol, or why the client refused.
HANDSHAKE = """
import java.io.FileInputStream;
import java.net.InetAddress;
import java.security.KeyStore;
import javax.net.ssl.*;

class Handshake {
    static KeyStore load(String path) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (FileInputStream in = new FileInputStream(path)) { store.load(in, "changeit".toCharArray()); }
        return store;
    }

    public static void main(String[] arguments) throws Exception {
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(load(arguments[0]), "changeit".toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        SSLServerSocket server = (SSLServerSocket)
            context.getServerSocketFactory().createServerSocket(0, 1, InetAddress.getLoopbackAddress());
        Thread answer = new Thread(() -> {
            try (SSLSocket peer = (SSLSocket) server.accept()) { peer.startHandshake(); } catch (Exception refused) { }
        });
        answer.start();
        try (SSLSocket client = (SSLSocket)
                SSLSocketFactory.getDefault().createSocket("localhost", server.getLocalPort())) {
            SSLParameters parameters = client.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            client.setSSLParameters(parameters);
            client.startHandshake();
            System.out.println(client.getSession().getProtocol());
        } catch (SSLHandshakeException refused) {
            System.out.println(refused.getMessage());
        }
        answer.join();
    }
}
"""
SERVER = """
keytool -genkeypair -alias server -keyalg EC -dname CN=localhost -ext san=dns:localhost -validity 2 \
  -storetype PKCS12 -keystore /tmp/server.p12 -storepass changeit 2>&1
keytool -exportcert -alias server -keystore /tmp/server.p12 -storepass changeit -file /tmp/server.crt 2>&1
"""


@pytest.mark.inherited
def test_java_is_version_17(run: Run) -> None:
    shown = run("java", "-version", entrypoint=())
    assert shown.code == 0
    assert re.search(r'openjdk version "17\.', shown.stderr)


def test_java_home_is_set_and_on_the_path(run: Run) -> None:
    assert run("bash", "-c", 'echo "$JAVA_HOME"; command -v java javac').output.split() == [
        "/opt/java",
        "/opt/java/bin/java",
        "/opt/java/bin/javac",
    ]


def test_a_small_heap_is_enough(run: Run) -> None:
    assert (
        run("java", "-Xmx32m", "/home/spark/Hello.java", files={"/home/spark/Hello.java": HELLO}).output == "hello 17"
    )


def test_javac_compiles(run: Run) -> None:
    script = "javac -d /tmp/out /home/spark/Hello.java && java -Xmx32m -cp /tmp/out Hello"
    assert run("bash", "-euc", script, files={"/home/spark/Hello.java": HELLO}, user="185:0").output == "hello 17"


def test_the_modules_that_spark_and_diagnosis_need_are_linked(host: Host) -> None:
    linked = {line.split("@")[0] for line in host.check_output("/opt/java/bin/java --list-modules").splitlines()}
    assert linked >= {
        "java.se",
        "java.security.jgss",
        "jdk.compiler",
        "jdk.crypto.ec",
        "jdk.httpserver",
        "jdk.incubator.vector",
        "jdk.jcmd",
        "jdk.jfr",
        "jdk.localedata",
        "jdk.management.agent",
        "jdk.security.auth",
        "jdk.unsupported",
        "jdk.zipfs",
    }


@pytest.mark.parametrize("name", ["jar", "jcmd", "jfr", "jmap", "jstack", "jstat", "keytool"])
def test_tool_starts(run: Run, name: str) -> None:
    assert run(name, "--help", env={"JAVA_TOOL_OPTIONS": "-Xmx64m"}).code == 0


def test_jcmd_reaches_a_running_java(container: Start) -> None:
    files = {"/home/spark/Wait.java": WAIT}
    started = container("java", "-Xmx64m", "/home/spark/Wait.java", user="185:0", files=files)
    answer = wait_until(lambda: started.exec("jcmd", "1", "VM.version").stdout, 30, "an answer of the JVM")
    assert "JDK 17." in answer


def test_the_trust_store_holds_the_whole_bundle(host: Host) -> None:
    listed = host.check_output(f"/opt/java/bin/keytool -list -keystore {STORE} -storepass changeit")
    count = int(host.check_output(f"grep -c 'BEGIN CERTIFICATE' {BUNDLE}"))
    assert f"contains {count} entries" in listed
    assert listed.count("trustedCertEntry") == count


def test_a_changed_trust_store_is_noticed(run: Run) -> None:
    script = f"keytool -list -keystore {STORE} -storepass other"
    assert "password was incorrect" in run("bash", "-c", script).stdout


def test_a_server_that_the_store_knows_is_trusted(run: Run) -> None:
    script = f"""{SERVER}
cp {STORE} /tmp/trust.jks
keytool -importcert -noprompt -alias throwaway -file /tmp/server.crt -keystore /tmp/trust.jks -storepass changeit 2>&1
java -Djavax.net.ssl.trustStore=/tmp/trust.jks /home/spark/Handshake.java /tmp/server.p12"""
    done = run("bash", "-euc", script, files={"/home/spark/Handshake.java": HANDSHAKE}, user="185:0")
    assert done.output.splitlines()[-1] == "TLSv1.3"


def test_a_stranger_is_refused_by_the_certificate_authorities(run: Run) -> None:
    done = run(
        "bash",
        "-euc",
        f"{SERVER}\njava /home/spark/Handshake.java /tmp/server.p12",
        files={"/home/spark/Handshake.java": HANDSHAKE},
        user="185:0",
    )
    # Not «trustAnchors parameter must be non-empty», which an empty store gives.
    assert "unable to find valid certification path" in done.output.splitlines()[-1]


def test_the_licences_are_there(host: Host) -> None:
    assert host.file("/opt/java/legal/java.base/LICENSE").exists
    assert host.file("/opt/java/legal/debian/copyright").exists


def test_every_library_but_those_for_screens_finds_its_dependencies(host: Host) -> None:
    # java.desktop's libraries want X11, fonts, sound and image codecs, smart cards want pcscd. Servers have none.
    screens = {"awt_xawt", "fontmanager", "javajpeg", "jawt", "jsound", "lcms", "splashscreen", "j2pcsc"}
    lacks = "LD_LIBRARY_PATH=/opt/java/lib:/opt/java/lib/server ldd $1 | grep -q not.found"
    listed = host.check_output(f"find /opt/java -name '*.so' -exec sh -c '{lacks}' - {{}} ';' -print")
    missing = {path.rsplit("/", 1)[-1].removeprefix("lib").removesuffix(".so") for path in listed.split()}
    assert missing <= screens
