"""Image files in scripts, load_img and what reads folders: every mode is right, bombs are refused."""

import os

import numpy as np
import pytest
from PIL import Image

from numba_cnn import utils
from numba_cnn.preprocessing.image import ImageDataGenerator

RAMP = np.arange(64).reshape(8, 8) / 63  # from black to white
GREY = np.rint(RAMP * 255)


def loaded(path, **settings):
    return utils.img_to_array(utils.load_img(path, **settings))


def from_folder(path, **settings):
    """The one image of a folder, by the data set and by the generator."""
    by = utils.image_dataset_from_directory(
        path.parent.parent, image_size=(8, 8), label_mode=None, verbose=False, **settings
    )
    ((found,),) = by
    return found


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a").mkdir()
    return tmp_path / "a"


@pytest.mark.parametrize("color_mode", ["rgb", "rgba"])
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("16 bits.png", np.rint(RAMP * 65535).astype(np.uint16)),
        ("16 bits.tif", np.rint(RAMP * 65535).astype(np.uint16)),
        ("dark 16 bits.png", np.rint(RAMP * 255).astype(np.uint16)),
        ("32 bits.tif", np.rint(RAMP * 65535).astype(np.int32)),
        ("8 bits in 32.tif", GREY.astype(np.int32)),
        ("floats to 1.tif", RAMP.astype(np.float32)),
        ("floats to 255.tif", GREY.astype(np.float32)),
    ],
)
def test_deep_grey_in_colour_is_scaled_not_cut_off(folder, name, values, color_mode):
    Image.fromarray(values).save(folder / name)
    found = loaded(folder / name, color_mode=color_mode)[..., :3]
    expected = np.rint(RAMP * 255 / 257) if "dark" in name else GREY
    np.testing.assert_allclose(found, np.repeat(expected[..., None], 3, -1), atol=0.51)
    if name.endswith("png"):
        np.testing.assert_array_equal(from_folder(folder / name, color_mode="rgb"), found)
    flow = ImageDataGenerator().flow_from_directory(folder.parent, (8, 8), class_mode=None)
    np.testing.assert_array_equal(next(flow)[0], found)


def test_16_bits_of_a_ppm_are_16_bits_however_dark(folder):
    values = np.rint(RAMP * 255).astype(">u2")
    (folder / "dark.pgm").write_bytes(b"P5 8 8 65535\n" + values.tobytes())
    assert loaded(folder / "dark.pgm").max() == 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.float32([[-0.5, 1]]), r"expected values of 0\.\.1 .*-0\.5 to 1"),
        (np.float32([[np.nan, 1]]), r"expected values of .*nan"),
        (np.int32([[0, 70000]]), r"expected values of 0\.\.65535 .*70000"),
    ],
)
def test_values_out_of_range_are_refused(folder, values, message):
    Image.fromarray(values).save(folder / "x.tif")
    with pytest.raises(ValueError, match=message + r".*x\.tif"):
        utils.load_img(folder / "x.tif")


@pytest.mark.parametrize("mode", ["LAB", "CMYK", "YCbCr", "P", "LA", "RGBA", "1", "L"])
@pytest.mark.parametrize("color_mode", ["rgb", "grayscale", "rgba"])
def test_every_mode_in_every_mode(folder, mode, color_mode):
    colour = Image.fromarray(np.repeat(GREY.astype(np.uint8)[..., None], 3, -1))
    if mode == "LA":
        colour = colour.convert("L")
    colour.convert(mode).save(folder / "x.tif" if mode != "YCbCr" else folder / "x.jpg")
    (name,) = os.listdir(folder)
    found = loaded(folder / name, color_mode=color_mode)
    assert found.shape == (8, 8, {"rgb": 3, "grayscale": 1, "rgba": 4}[color_mode])
    assert found[..., 0].max() > 240
    assert found[..., 0].min() < 15


@pytest.mark.parametrize("ending", ["png", "jpg"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_where_it_is_asked_for(folder, ending, orientation):
    from PIL import ImageOps

    pixels = np.repeat(np.kron(np.arange(6).reshape(2, 3) * 40, np.ones((8, 8)))[..., None], 3, -1)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = folder / f"x.{ending}"
    Image.fromarray(pixels.astype(np.uint8)).save(path, exif=exif)
    stored = np.asarray(Image.open(path), np.float32)
    turned = np.asarray(ImageOps.exif_transpose(Image.open(path)), np.float32)
    np.testing.assert_array_equal(loaded(path), stored)
    np.testing.assert_array_equal(loaded(path, upright=True), turned)
    size = {"image_size": turned.shape[:2], "label_mode": None, "verbose": False}
    for upright, expected in ((True, turned), (False, None)):
        ((found,),) = utils.image_dataset_from_directory(folder.parent, upright=upright, **size)
        flow = ImageDataGenerator().flow_from_directory(
            folder.parent, turned.shape[:2], class_mode=None, upright=upright
        )
        if expected is not None:
            np.testing.assert_array_equal(found, expected)
            np.testing.assert_array_equal(next(flow)[0], expected)


def test_bombs_are_refused_before_a_pixel_is_decoded(folder):
    path = folder / "bomb.png"
    Image.new("L", (9_000, 9_000)).save(path)
    utils.load_img(path, "grayscale", (8, 8))  # of one byte a pixel, 81 MB
    Image.new("RGB", (9_000, 9_000)).save(path)
    assert path.stat().st_size < 2**20
    with pytest.raises(ValueError, match=r"9000x9000 pixels take 324000000 bytes, of 268435456 at"):
        utils.load_img(path)
    with pytest.raises(ValueError, match=r"bomb\.png"):
        from_folder(path)


def test_nothing_runs_another_program(folder):
    Image.new("RGB", (5, 5)).save(folder / "a.eps")
    os.rename(folder / "a.eps", folder / "a.png")
    with pytest.raises(ValueError, match=r"cannot read the image: expected one of .*a\.png"):
        utils.load_img(folder / "a.png")


def test_other_formats_of_pillow_are_read(folder):
    colours = np.random.default_rng(0).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    for ending in ("tga", "pcx", "ico", "sgi"):
        Image.fromarray(colours).save(folder / f"x.{ending}")
        found = loaded(folder / f"x.{ending}", target_size=(8, 8))
        np.testing.assert_array_equal(found, colours)


@pytest.mark.parametrize("name", ["__MACOSX", "@eaDir", ".ipynb_checkpoints"])
def test_what_systems_leave_is_no_class(folder, name):
    for place in (folder, folder.parent / name):
        place.mkdir(exist_ok=True)
        Image.new("RGB", (8, 8)).save(place / "0.png")
    found = utils.image_dataset_from_directory(folder.parent, image_size=(8, 8), verbose=False)
    assert found.class_names == ["a"]
    assert ImageDataGenerator().flow_from_directory(folder.parent).class_indices == {"a": 0}


def test_links_that_lead_back_are_not_followed(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for place in (folder, elsewhere):
        Image.new("RGB", (8, 8)).save(place / "0.png")
    (folder / "up").symlink_to("..")
    (folder / "there").symlink_to(elsewhere)
    found = utils.image_dataset_from_directory(
        folder.parent, image_size=(8, 8), verbose=False, follow_links=True, shuffle=False
    )
    ends = [os.path.relpath(path, folder) for path in found.file_paths]
    assert ends == ["0.png", os.path.join("there", "0.png")]
