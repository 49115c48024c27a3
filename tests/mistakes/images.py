"""What people get wrong in an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.mistakes.edits import image_with, in_image

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.mistakes.edits import Changes

IMAGES: Mapping[str, Changes] = {
    "an unknown key of the config": in_image('config: {usr: "185:0"}'),
    "an image without layers": image_with("layers: [app]\n", ""),
    "a number for a layer": image_with("[app]", "[3]"),
    "an image without tags": image_with("tags: ['1.0']\n", ""),
    "a number for a tag": image_with("'1.0'", "1.0"),
    "a bad tag": image_with("'1.0'", "a b"),
    "a bad repository": image_with("sample/shop", "Sample/shop"),
    "a user by name": in_image("config: {user: root}"),
    "a user beyond 31 bits": in_image("config: {user: '2147483648:0'}"),
    "a port that is no list": in_image("config: {ports: 8080}"),
    "a port by name": in_image("config: {ports: [http]}"),
    "a bad alias": in_image("aliases: {Latest: x}"),
    "a port beyond the last": in_image("config: {ports: [65536]}"),
    "port zero": in_image("config: {ports: [0]}"),
    "a port below zero": in_image("config: {ports: [-1]}"),
    "a relative working directory": in_image("config: {workdir: srv}"),
    "a working directory that climbs": in_image("config: {workdir: /srv/../etc}"),
    "a user of three parts": in_image("config: {user: '1:2:3'}"),
    "an unquoted user": in_image("config: {user: 185:0}"),
    "a user of look-alikes": in_image("config: {user: '１85'}"),  # noqa: RUF001
    "a variable with a space": in_image("config: {env: {'A B': x}}"),
    "a label with a space": in_image("config: {labels: {'a b': x}}"),
    "a signal without its prefix": in_image("config: {stop_signal: TERM}"),
    "a command that is a string": in_image("config: {cmd: serve}"),
    "an override without a reason": in_image("overrides: {/etc/motd: ''}"),
    "an override of a relative path": in_image("overrides: {etc/motd: it must}"),
    "a tag that is too long": image_with("'1.0'", "x" * 129),
    "a tag with a colon": image_with("'1.0'", "'a:b'"),
    "an empty tag": image_with("'1.0'", "''"),
    "no tag": image_with("['1.0']", "[]"),
    "no layer": image_with("[app]", "[]"),
    "layers of nothing": image_with("[app]", "[\"{{ '' }}\"]"),
    "a layer that is a path": image_with("[app]", "[../app]"),
    "a repository that climbs": image_with("sample/shop", "../shop"),
    "a repository with a tag": image_with("sample/shop", "sample/shop:1"),
    "an image of another stage": image_with("final", "base"),
    "a source of an image": in_image("sources: {x: deb:bash}"),
    "an image to extend that is a path": in_image("extends: ../shop"),
    "images to extend": in_image("extends: [top, app]"),
    "an image that extends another and adds nothing": in_image("extends: top") | image_with("layers: [app]\n", ""),
    "a service that is a path": in_image("test_with: [../shop]"),
    "an alias like an option": in_image("aliases: {-rf: x}"),
}
